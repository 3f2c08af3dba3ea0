import type { Book } from './book.js'
import type { BookEvent } from './market.js'

const CHUNK = 256

interface Chunk {
  readonly sequence: number
  readonly book: Book
  readonly events: BookEvent[]
}

/** The events of a market and the book at each of them: a copy of the book every 256 events, the changes between. */
export class History {
  readonly #first: Chunk
  #chunks: Chunk[]
  readonly #now: Book
  readonly start: number
  readonly #keepEvents: number

  /** Keeps the last `keepEvents` events, rounded up to whole chunks, and the book at the start. */
  constructor(start: number, book: Book, keepEvents: number) {
    this.start = start
    this.#keepEvents = keepEvents
    this.#now = book
    this.#first = { sequence: start, book: book.copy(), events: [] }
    this.#chunks = [this.#first]
  }

  /** The event has been applied to the book already. */
  add(event: BookEvent): void {
    const chunk = this.#chunks.at(-1) as Chunk
    chunk.events.push(event)
    if (chunk.events.length < CHUNK) return
    this.#chunks.push({ sequence: event.last, book: this.#now.copy(), events: [] })
    if ((this.#chunks.length - 2) * CHUNK >= this.#keepEvents) this.#chunks.shift()
  }

  /** A copy of the book after the event that ends with `sequence`. */
  at(sequence: number): Book {
    if (sequence === this.start) return this.#first.book.copy()
    const chunk = this.#chunks.findLast((c) => c.sequence <= sequence)
    if (!chunk) throw new Error(`the book at ${sequence} is not kept any more: raise keepEvents`)
    const book = chunk.book.copy()
    if (chunk.sequence === sequence) return book
    for (const event of chunk.events) {
      book.apply(event.changes)
      if (event.last === sequence) return book
    }
    throw new Error(`no event ends with ${sequence}`)
  }

  /** The events that are kept, oldest first. */
  *events(): Generator<BookEvent> {
    for (const { events } of this.#chunks) yield* events
  }
}
