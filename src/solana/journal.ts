import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { VeloxError } from '../errors/velox-error.js'
import { call, native } from '../native.js'
import { encode, type JournalEntry } from './journal-entries.js'
import {
  beginNext,
  copyTail,
  HEADER,
  headerOf,
  isDamagedAt,
  openToAppend,
  putNext,
  realOf,
  scan,
  syncFolder,
} from './journal-file.js'
import { Needed } from './recovery.js'

/** So large it may become. */
const LARGE_BYTES = 16 << 20
/** Longer than any blockhash lives. */
const LEAST_KEPT_MILLIS = 600_000

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
const unwritable = (path: string, error: unknown) =>
  new VeloxError('VELOX_FILE_UNWRITABLE', { path, reason: reasonOf(error) }, { cause: error })

interface Waiting {
  readonly entry: JournalEntry
  readonly done: (error?: unknown) => void
}

interface Opened {
  /** As it was given. */
  readonly path: string
  /** As the file is really called. */
  readonly real: string
  readonly file: FileHandle
  readonly lock: number
  readonly entries: JournalEntry[]
  readonly end: number
  readonly fsync: boolean
  readonly keepMillis: number
  readonly largeBytes: number
}

/**
 * An append-only file of what was signed and how it ended. What is appended while a write is under way goes with the next one,
 * so that one sync serves all of it. One that has grown large begins anew with what is on its way and what is young; the old
 * one stays beside it as `.old`.
 */
export class Journal {
  readonly #o: Opened
  #entries: readonly JournalEntry[]
  #file: FileHandle
  /** Bytes up to which it is whole. */
  #end: number
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #broken: unknown
  #closed: unknown
  /** At this size it begins anew. */
  #shrinksAt: number
  #shrinking: Promise<void> | undefined
  /** What is to take its place, and from where on that is behind. */
  #next: { readonly file: FileHandle; readonly from: number } | undefined

  private constructor(o: Opened) {
    this.#o = o
    this.#entries = o.entries
    this.#file = o.file
    this.#end = o.end
    this.#shrinksAt = o.largeBytes
  }

  get path(): string {
    return this.#o.path
  }

  /** What was in it when it was opened. */
  get entries(): readonly JournalEntry[] {
    return this.#entries
  }

  /** The same, not kept any longer. */
  takeEntries(): readonly JournalEntry[] {
    const entries = this.#entries
    this.#entries = []
    return entries
  }

  /** Locks it, reads it, and cuts off what a crash left half written. What is younger than `keepMillis` is kept in any case. */
  static async open(path: string, fsync: boolean, keepMillis = 0, largeBytes = LARGE_BYTES): Promise<Journal> {
    const real = await realOf(path)
    // Node has no file locks. A lock of the system ends with its process, however that ends; a file with a process number
    // in it would outlive a crash and name whoever got the number next.
    const lock = call(() => native.fileLock(`${real}.lock`))
    let file: FileHandle | undefined
    try {
      file = await openToAppend(real)
      const entries: JournalEntry[] = []
      const end = await read(path, file, entries)
      if (fsync) {
        await file.sync()
        // A file that was just made is there after a power cut once its folder is on the disk.
        await syncFolder(dirname(real))
      }
      const journal = new Journal({ path, real, file, lock, entries, end, fsync, keepMillis, largeBytes })
      if (end > largeBytes) await journal.#shrink()
      await journal.#writing
      return journal
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
    const not = this.#broken ?? this.#closed
    if (not !== undefined) return Promise.reject(unwritable(this.path, not))
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(unwritable(this.path, error)))
      this.#waiting.push({ entry, done })
      this.#writing ??= this.#write()
    })
  }

  async #write(): Promise<void> {
    // What is appended in the same turn goes along.
    await Promise.resolve()
    while (this.#waiting.length > 0 || this.#next) {
      if (this.#next) await this.#put(this.#next)
      const batch = this.#waiting.splice(0)
      if (batch.length === 0) continue
      try {
        if (this.#broken !== undefined) throw this.#broken
        const bytes = encode(batch.map(({ entry }) => entry))
        await this.#file.appendFile(bytes)
        if (this.#o.fsync) await this.#file.datasync()
        this.#end += bytes.length
        for (const { done } of batch) done()
        if (this.#end > this.#shrinksAt) this.#shrinking ??= this.#shrink()
      } catch (error) {
        this.#broken ??= error ?? new Error('unknown')
        await this.#cut()
        for (const { done } of batch) done(this.#broken)
      }
    }
    this.#writing = undefined
  }

  /** What is told not to be sent must not be found by a restart. */
  async #cut(): Promise<void> {
    try {
      await this.#file.truncate(this.#end)
      if (this.#o.fsync) await this.#file.sync()
    } catch {
      // The disk is the reason that it is here.
    }
  }

  /** Begins anew beside itself with what is still needed; meanwhile it is appended to as before. */
  async #shrink(): Promise<void> {
    const from = this.#end
    this.#shrinksAt = Number.POSITIVE_INFINITY
    let file: FileHandle | undefined
    try {
      const needed = new Needed(Date.now() - Math.max(this.#o.keepMillis, LEAST_KEPT_MILLIS))
      await scan(this.#file, { from: HEADER.length, to: from }, (entry) => needed.add(entry))
      file = await beginNext(this.#o.real, needed.entries)
      await file.sync()
      this.#next = { file, from }
      this.#writing ??= this.#write()
    } catch {
      await this.#stays(file)
    } finally {
      this.#shrinking = undefined
    }
  }

  /** The last step, with nothing else being written. */
  async #put({ file, from }: { readonly file: FileHandle; readonly from: number }): Promise<void> {
    this.#next = undefined
    let size: number
    try {
      await copyTail(this.#file, { from, to: this.#end }, file)
      await file.sync()
      size = (await file.stat()).size
      await putNext(this.#o.real)
    } catch {
      await this.#stays(file)
      return
    }
    const old = this.#file
    this.#file = file
    this.#end = size
    this.#shrinksAt = Math.max(this.#o.largeBytes, 2 * size)
    // Before it, what is appended could be gone with the new name.
    if (this.#o.fsync) await syncFolder(dirname(this.#o.real))
    await old.close().catch(() => {})
  }

  /** It could not begin anew, and goes on as it is. */
  async #stays(file: FileHandle | undefined): Promise<void> {
    this.#shrinksAt = 2 * this.#end
    await file?.close().catch(() => {})
  }

  /** Writes what was appended before this call. */
  async close(): Promise<void> {
    this.#closed ??= new Error('it was closed')
    while (this.#shrinking ?? this.#writing) await (this.#shrinking ?? this.#writing)
    try {
      await this.#file.close()
    } finally {
      native.release(this.#o.lock)
    }
  }
}

/** Reads what is in a file, and leaves nothing else in it; gives its end. */
async function read(path: string, file: FileHandle, entries: JournalEntry[]): Promise<number> {
  const is = await headerOf(file)
  if (is === 'other') throw corrupt(path, 'a journal of a submitter', 'another file')
  if (is === 'new') {
    await file.truncate(0)
    await file.appendFile(HEADER)
    return HEADER.length
  }
  const { size } = await file.stat()
  const end = await scan(file, { from: HEADER.length, to: size }, (entry) => void entries.push(entry))
  if (await isDamagedAt(file, end, size))
    throw corrupt(path, 'whole entries', `a damaged one at byte ${end}, with whole ones behind it`)
  if (end < size) await file.truncate(end)
  return end
}

function corrupt(path: string, expected: string, got: string): unknown {
  return new VeloxError('VELOX_CORRUPT_DATA', { path, line: 0, expected, got })
}
