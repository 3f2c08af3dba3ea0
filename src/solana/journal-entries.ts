// How entries lie in a journal: a mark of 4 bytes, length, CRC-32 (both little-endian), and that many bytes of JSON, an entry a line.
// What is written at once is one frame: of pages that a power cut leaves in another order than that of the file none is taken for whole.
import { crc32 } from 'node:zlib'

/** What is known of a signed transaction: enough to send it again, and to account for it. */
export interface JournalTransaction {
  readonly signature: string
  /** The whole signed bytes. */
  readonly base64: string
  readonly records: number
  /** bigints as text. */
  readonly lamports: string
  readonly tipLamports: string
}

export type JournalEntry =
  | {
      readonly kind: 'built'
      /** Epoch milliseconds. */
      readonly at: number
      readonly transactions: readonly JournalTransaction[]
      readonly lastValidBlockHeight: string
      readonly bundleId?: string
      /** The first signature of what it was signed again for: that one has ended by this entry. */
      readonly replaces?: string
    }
  | {
      readonly kind: 'ended'
      readonly at: number
      /** The first signature. */
      readonly id: string
      readonly state: 'landed' | 'failed' | 'expired'
      readonly spentLamports: string
    }

const MARK = Buffer.from('VJE1')
const HEAD = 12
/** Of a frame. Five transactions with all their bytes are below 10 kB. */
export const LONGEST: number = 1 << 24

function frame(lines: readonly string[]): Buffer {
  const body = Buffer.from(lines.join('\n'))
  const bytes = Buffer.allocUnsafe(HEAD + body.length)
  MARK.copy(bytes)
  bytes.writeUInt32LE(body.length, 4)
  bytes.writeUInt32LE(crc32(body), 8)
  body.copy(bytes, HEAD)
  return bytes
}

/** Entries as one frame; as several where one would be too long. */
export function encode(entries: readonly JournalEntry[]): Buffer {
  const frames: Buffer[] = []
  let lines: string[] = []
  let length = 0
  for (const entry of entries) {
    const line = JSON.stringify(entry)
    if (length + line.length + 1 > LONGEST) {
      frames.push(frame(lines))
      lines = []
      length = 0
    }
    lines.push(line)
    length += line.length + 1
  }
  if (lines.length > 0) frames.push(frame(lines))
  return Buffer.concat(frames)
}

/** The body of the frame at an offset, or undefined where no whole one is. */
function bodyAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + HEAD > bytes.length || MARK.compare(bytes, at, at + 4) !== 0) return undefined
  const length = bytes.readUInt32LE(at + 4)
  if (length > LONGEST || at + HEAD + length > bytes.length) return undefined
  const body = bytes.subarray(at + HEAD, at + HEAD + length)
  return crc32(body) === bytes.readUInt32LE(at + 8) ? body : undefined
}

/** All whole entries, and where they end. Behind that may be a torn one: what a crash left of the last write, which was never acted on. */
export function decode(bytes: Buffer): { entries: JournalEntry[]; end: number } {
  const entries: JournalEntry[] = []
  let end = 0
  for (let body = bodyAt(bytes, end); body; body = bodyAt(bytes, end)) {
    for (const line of body.toString().split('\n')) entries.push(JSON.parse(line) as JournalEntry)
    end += HEAD + body.length
  }
  return { entries, end }
}

/** Whether whole entries lie behind a torn one, with which these bytes begin: that is no crash's doing. */
export function isDamaged(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(MARK, 1); at !== -1; at = bytes.indexOf(MARK, at + 1)) if (bodyAt(bytes, at)) return true
  return false
}
