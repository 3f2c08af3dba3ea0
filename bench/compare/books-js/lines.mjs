import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))

/** The messages of a capture as the bytes that came, or undefined where it is not on this machine. */
export function messages(path) {
  if (!existsSync(data + path)) return undefined
  const bytes = readFileSync(data + path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1')
  const bodies = text.split('\n').map((line) => /^(?:\d{16,} |\d+\.\d+: )(.+)$/.exec(line)?.[1])
  return bodies.filter((body) => body !== undefined).map((body) => Buffer.from(body, 'latin1'))
}
