import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** One message as the venue sent it, and when it was received, in ms since the epoch. */
export interface CapturedMessage {
  readonly atMs: number
  readonly text: string
}

export interface CaptureFiles {
  /** Relative to ../shared/data of the repository. */
  readonly stream: string
  /** REST snapshots that were taken beside it, where they are not among the messages. */
  readonly rest?: string
}

/** The file of ../shared/data, or undefined where it is not on this machine; from the sources and from the build alike. */
export function captureFile(path: string): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  const file = join(folder, '../shared/data', path)
  return existsSync(file) ? file : undefined
}

/**
 * Reads `<ns> <json>` lines (gzip) or the lines of cryptofeed's captures, `<s>: <json>` and `<url> -> <s>: <json>`;
 * what the recorder itself sent (`<url> <- …`) is left out.
 */
export function readCapture(path: string): CapturedMessage[] {
  const file = captureFile(path)
  if (!file) throw new Error(`the capture ${path} is not beside the repository, in ../shared/data`)
  const bytes = readFileSync(file)
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  const lines = (isGzip ? gunzipSync(bytes) : bytes).toString('utf8').split('\n')
  const messages: CapturedMessage[] = []
  for (const line of lines) {
    const [, ns, s, text] = /^(?:(\d{16,}) |(?:\S+ -> )?(\d+\.\d+): )(.+)$/.exec(line) ?? []
    if (text) messages.push({ atMs: ns ? Number(ns) / 1e6 : Number(s) * 1e3, text })
  }
  return messages
}
