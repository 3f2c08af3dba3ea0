import { readFileSync } from 'node:fs'
import { DIST } from './place.js'

function ownVersion(): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(new URL('../package.json', DIST), 'utf8')) as Record<
      string,
      string
    >
    return name === 'velox-engine' ? version : undefined
  } catch {
    return undefined
  }
}

const own = ownVersion()

/** Whether these modules lie in their package, with what belongs to it beside them: a bundler takes them away from there. */
export const IS_PACKAGED: boolean = own !== undefined

/** This package's version: its binary has the same, or is another's. */
export const VERSION: string = own ?? 'unknown'
