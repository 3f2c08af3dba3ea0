/** What package.json says under `engines`. */
const LEAST = [20, 19] as const

/** What is wrong with a runtime that is too old, as a sentence; undefined for any other, and for Bun and Deno. */
export function tooOld({ node, bun, deno }: NodeJS.ProcessVersions): string | undefined {
  if (bun !== undefined || deno !== undefined) return undefined
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const isEnough = major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])
  return isEnough
    ? undefined
    : `velox-engine: expected Node ${LEAST.join('.')} or newer, got ${node}: install Node 22 or newer; this one is not tested`
}

/** Tells it once, as a warning of the process: what still works may go on. */
export function warnOfOldNode(): void {
  const sentence = tooOld(process.versions)
  if (sentence !== undefined) process.emitWarning(sentence, { code: 'VELOX_OLD_NODE' })
}
