import type { L2Book, VeloxError as VeloxErrorFace } from '../../index.js'
import { VeloxError } from '../errors/velox-error.js'

/** Whether anything may be sent now. */
export class Halts {
  readonly #books: readonly L2Book[]
  #reason: string | undefined

  constructor(books: readonly L2Book[]) {
    this.#books = books
  }

  halt(reason: string): void {
    this.#reason ??= reason
  }

  resume(): void {
    this.#reason = undefined
  }

  /** An order to halt, else a book that is not live. */
  get reason(): string | undefined {
    if (this.#reason !== undefined) return this.#reason
    const book = this.#books.find(({ state }) => state !== 'live')
    return book && `the book ${book.instrument.symbol} is ${book.state}`
  }

  get error(): VeloxErrorFace | undefined {
    const { reason } = this
    return reason === undefined ? undefined : (new VeloxError('VELOX_SUBMITTER_HALTED', { reason }) as VeloxErrorFace)
  }
}
