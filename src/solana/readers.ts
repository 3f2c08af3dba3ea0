import type { SubmissionState } from '../../solana.js'
import { VeloxError } from '../errors/velox-error.js'
import { isOutcome } from './attempt.js'

/** So many states wait for a reader at most. */
const MOST_WAITING = 65_536

/** What is read is let go once it is so much. */
const TIDY = 16

interface Reader {
  readonly all: boolean
  readonly waiting: SubmissionState[]
  /** So many of those in front are read. */
  read: number
  lost: number
  /** Those who wait for the next. */
  sleepers: (() => void)[]
}

function wake(reader: Reader): void {
  for (const go of reader.sleepers.splice(0)) go()
}

function nextOf(reader: Reader): SubmissionState | undefined {
  const value = reader.waiting[reader.read]
  if (value) reader.read++
  // To take each from a long list's front would move all of it each time.
  if (reader.read >= TIDY && 2 * reader.read >= reader.waiting.length) {
    reader.waiting.splice(0, reader.read)
    reader.read = 0
  }
  return value
}

/** Those who read what becomes of submissions: each gets all of it, from when it began. */
export class Readers {
  readonly #readers = new Set<Reader>()
  #isOver = false

  publish(state: SubmissionState): void {
    for (const reader of this.#readers) {
      if (!reader.all && !isOutcome(state)) continue
      if (reader.waiting.length - reader.read < MOST_WAITING && reader.lost === 0) reader.waiting.push(state)
      else reader.lost++
      wake(reader)
    }
  }

  /** Reads from this call on, not from the first `next`. */
  read(all: boolean, signal?: AbortSignal): AsyncIterableIterator<SubmissionState> {
    const reader: Reader = { all, waiting: [], read: 0, lost: 0, sleepers: [] }
    this.#readers.add(reader)
    const end = () => {
      this.#readers.delete(reader)
      signal?.removeEventListener('abort', end)
      wake(reader)
    }
    if (signal?.aborted) end()
    else signal?.addEventListener('abort', end)
    return {
      next: () => this.#next(reader, end),
      return: async () => {
        end()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  async #next(reader: Reader, end: () => void): Promise<IteratorResult<SubmissionState, undefined>> {
    while (this.#readers.has(reader)) {
      const value = nextOf(reader)
      if (value) return { done: false, value }
      if (reader.lost > 0) {
        end()
        throw new VeloxError('VELOX_READER_BEHIND', { lost: reader.lost })
      }
      if (this.#isOver) end()
      else await new Promise<void>((resolve) => reader.sleepers.push(resolve))
    }
    return { done: true, value: undefined }
  }

  end(): void {
    this.#isOver = true
    for (const reader of this.#readers) wake(reader)
  }
}
