import { type FileHandle, link, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { VeloxError } from '../errors/velox-error.js'
import { call, native } from '../native.js'
import { decode, encode, type JournalEntry } from './journal-entries.js'
import { stillNeeded } from './recovery.js'

/** A first line that says what the file is, also to people. */
const HEADER = Buffer.from('velox-engine submitter journal 1\n')

/** So large it may be when it is opened. */
const LARGE_BYTES = 16 << 20
/** Longer than any blockhash lives. */
const LEAST_KEPT_MILLIS = 600_000

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
const unwritable = (path: string, error: unknown) =>
  new VeloxError('VELOX_FILE_UNWRITABLE', { path, reason: reasonOf(error) }, { cause: error })

interface Waiting {
  readonly bytes: Buffer
  readonly done: (error?: unknown) => void
}

/**
 * An append-only file of what was signed and how it ended. What is appended while a write is under way goes with the next one,
 * so that one sync serves all of it.
 */
export class Journal {
  readonly path: string
  /** What was in it when it was opened. */
  readonly entries: readonly JournalEntry[]
  readonly #file: FileHandle
  readonly #lock: number
  readonly #fsync: boolean
  /** Bytes up to which it is whole. */
  #end: number
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #broken: unknown

  private constructor(o: {
    path: string
    file: FileHandle
    lock: number
    fsync: boolean
    entries: JournalEntry[]
    end: number
  }) {
    this.path = o.path
    this.entries = o.entries
    this.#file = o.file
    this.#lock = o.lock
    this.#fsync = o.fsync
    this.#end = o.end
  }

  /**
   * Locks it, reads it, and cuts off what a crash left half written. One that has grown large begins anew with what is on its way and
   * what is younger than `keepMillis`; the old one stays beside it as `.old`.
   */
  static async open(path: string, fsync: boolean, keepMillis = 0, largeBytes = LARGE_BYTES): Promise<Journal> {
    // Node has no file locks. A lock of the system ends with its process, however that ends; a file with a process number
    // in it would outlive a crash and name whoever got the number next.
    const lock = await locked(path)
    let file: FileHandle | undefined
    try {
      file = await open(path, 'a+')
      const bytes = await file.readFile()
      const isNew = bytes.length < HEADER.length && HEADER.subarray(0, bytes.length).equals(bytes)
      if (!isNew && !bytes.subarray(0, HEADER.length).equals(HEADER))
        throw corrupt(path, 'a journal of a submitter', 'another file')
      const { entries, end, damagedAt } = isNew ? { entries: [], end: 0 } : decode(bytes.subarray(HEADER.length))
      if (damagedAt !== undefined)
        throw corrupt(
          path,
          'whole entries',
          `a damaged one at byte ${HEADER.length + damagedAt}, with whole ones behind it`,
        )
      if (isNew) {
        await file.truncate(0)
        await file.appendFile(HEADER)
      } else if (HEADER.length + end < bytes.length) await file.truncate(HEADER.length + end)
      if (fsync) await file.sync()
      if (end > largeBytes) {
        const needed = stillNeeded(entries, Date.now() - Math.max(keepMillis, LEAST_KEPT_MILLIS))
        await file.close()
        file = await rewritten(path, needed)
      }
      // A file that was just made is there after a power cut once its folder is on the disk.
      if (fsync) await syncFolder(dirname(path))
      const { size } = await file.stat()
      return new Journal({ path, file, lock, fsync, entries, end: size })
    } catch (error) {
      await file?.close().catch(() => {})
      native.release(lock)
      throw error instanceof VeloxError ? error : unwritable(path, error)
    }
  }

  /**
   * Resolves once the entry is in the file, and with `fsync` on the disk. After a write that failed it takes no more: what the file
   * ends in is then for the next `open` to judge.
   */
  append(entry: JournalEntry): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(unwritable(this.path, this.#broken))
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(unwritable(this.path, error)))
      this.#waiting.push({ bytes: encode(entry), done })
      this.#writing ??= this.#write()
    })
  }

  async #write(): Promise<void> {
    // What is appended in the same turn goes along.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0)
      try {
        if (this.#broken !== undefined) throw this.#broken
        const bytes = Buffer.concat(batch.map(({ bytes }) => bytes))
        await this.#file.appendFile(bytes)
        if (this.#fsync) await this.#file.datasync()
        this.#end += bytes.length
        for (const { done } of batch) done()
      } catch (error) {
        this.#broken ??= error ?? new Error('unknown')
        // What is told not to be sent must not be found by a restart.
        await this.#file.truncate(this.#end).catch(() => {})
        for (const { done } of batch) done(this.#broken)
      }
    }
    this.#writing = undefined
  }

  async close(): Promise<void> {
    await this.#writing
    this.#broken ??= new Error('it was closed')
    await this.#file.close()
    native.release(this.#lock)
  }
}

/** The lock of a journal, by the name that its file really has: two spellings or a link are one journal. */
async function locked(path: string): Promise<number> {
  let real: string
  try {
    real = await realpath(path)
  } catch {
    // It isn't there yet; its folder must be.
    real = await realpath(dirname(path)).then(
      (folder) => join(folder, basename(path)),
      () => path,
    )
  }
  return call(() => native.fileLock(`${real}.lock`))
}

/** The journal with these entries alone. A crash in between leaves the old one or the new one, whole. */
async function rewritten(path: string, entries: readonly JournalEntry[]): Promise<FileHandle> {
  const next = `${path}.new`
  await rm(next, { force: true })
  const file = await open(next, 'ax+')
  await file.appendFile(Buffer.concat([HEADER, ...entries.map(encode)]))
  await file.sync()
  await rm(`${path}.old`, { force: true })
  await link(path, `${path}.old`)
  await rename(next, path)
  return file
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders.
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

function corrupt(path: string, expected: string, got: string): unknown {
  return new VeloxError('VELOX_CORRUPT_DATA', { path, line: 0, expected, got })
}
