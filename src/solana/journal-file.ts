// What a journal asks of the file system.
import { copyFile, type FileHandle, link, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { breathe } from './breathe.js'
import { decode, encode, isDamaged, type JournalEntry, LONGEST } from './journal-entries.js'

/** A first line that says what the file is, also to people. */
export const HEADER: Buffer = Buffer.from('velox-engine submitter journal 1\n')

/** What is signed and not sent yet is nobody else's to send. */
const MODE = 0o600
const CHUNK = 1 << 17
/** So many entries are written at once. */
const PART = 64
/** So far behind a torn entry whole ones are looked for. */
const TAIL = 1 << 26

/** The name that a journal's file really has: two spellings or a link are one journal. */
export async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    // It isn't there yet; its folder must be.
    const folder = await realpath(dirname(path)).catch(() => dirname(path))
    return join(folder, basename(path))
  }
}

export const openToAppend = (path: string): Promise<FileHandle> => open(path, 'a+', MODE)

/** So many bytes from an offset on, or those that there are. */
async function bytesOf(file: FileHandle, from: number, count: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(Math.max(0, count))
  let length = 0
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, from + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

/** Whether a file is a journal, or is to become one: `begun` says which. */
export async function headerOf(file: FileHandle): Promise<'begun' | 'new' | 'other'> {
  const bytes = await bytesOf(file, 0, HEADER.length)
  if (bytes.equals(HEADER)) return 'begun'
  return bytes.length < HEADER.length && HEADER.subarray(0, bytes.length).equals(bytes) ? 'new' : 'other'
}

/**
 * Reads the whole entries between two places, a piece at a time and in slices: a journal may be large, and others have their
 * turn. Gives where they end.
 */
export async function scan(
  file: FileHandle,
  o: { readonly from: number; readonly to: number },
  take: (entry: JournalEntry) => void,
): Promise<number> {
  let at = o.from
  let rest: Buffer = Buffer.alloc(0)
  // What is longer than any entry and begins with none is none.
  while (rest.length <= 2 * LONGEST) {
    const from = at + rest.length
    const more = await bytesOf(file, from, Math.min(CHUNK, o.to - from))
    if (more.length === 0) break
    rest = Buffer.concat([rest, more])
    const { entries, end } = decode(rest)
    for (const entry of entries) take(entry)
    at += end
    rest = rest.subarray(end)
    await breathe()
  }
  return at
}

/** Whether whole entries lie behind a torn one. */
export async function isDamagedAt(file: FileHandle, from: number, size: number): Promise<boolean> {
  return isDamaged(await bytesOf(file, from, Math.min(TAIL, size - from)))
}

const nextOf = (path: string) => `${path}.new`

/** A file that is to take a journal's place, with these entries. */
export async function beginNext(path: string, entries: readonly JournalEntry[]): Promise<FileHandle> {
  await rm(nextOf(path), { force: true })
  const file = await openToAppend(nextOf(path))
  await file.appendFile(HEADER)
  for (let at = 0; at < entries.length; at += PART) {
    await file.appendFile(encode(entries.slice(at, at + PART)))
    await breathe()
  }
  return file
}

/** Appends what lies between two places of one file to another. */
export async function copyTail(file: FileHandle, o: { readonly from: number; readonly to: number }, into: FileHandle) {
  for (let at = o.from; at < o.to; at += CHUNK)
    await into.appendFile(await bytesOf(file, at, Math.min(CHUNK, o.to - at)))
}

/** Puts the file of `beginNext` into the journal's place; the old one stays beside it. A crash in between leaves either, whole. */
export async function putNext(path: string): Promise<void> {
  const old = `${path}.old`
  await rm(old, { force: true })
  // Not every file system has links.
  await link(path, old).catch(() => copyFile(path, old))
  await rename(nextOf(path), path)
}

export async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders.
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().catch(() => {})
  await folder?.close()
}
