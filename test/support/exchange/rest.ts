import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Counts } from './faults.js'
import type { Truth } from './market.js'
import { json, type Protocol, type RestAnswer, type Venue } from './protocol.js'
import type { Source } from './source.js'

/** The REST side of an exchange, with its faults. */
export class Rest {
  /** Snapshots still to be old ones. */
  old = 0
  downUntilMs = 0
  #refusals = 0
  #retryAfter = 1
  readonly #protocol: Protocol
  readonly #source: Source
  readonly #counts: Counts
  readonly #delayMs: number

  constructor(protocol: Protocol, source: Source, counts: Counts, delayMs: number) {
    this.#protocol = protocol
    this.#source = source
    this.#counts = counts
    this.#delayMs = delayMs
  }

  refuse(count: number, retryAfter: number): void {
    this.#refusals += count
    this.#retryAfter = retryAfter
  }

  book(symbol: string, depth: number): Truth | string | undefined {
    const isOld = this.old > 0
    const book = this.#source.restBook(symbol, depth, isOld)
    if (isOld && book) {
      this.old--
      this.#counts.restOld++
    }
    return book
  }

  handle(request: IncomingMessage, response: ServerResponse, venue: Venue): void {
    request.resume()
    if (Date.now() < this.downUntilMs) {
      this.#counts.restDown++
      request.socket.destroy()
      return
    }
    // The book is that of the time of the answer, as it is where a real answer takes its time.
    setTimeout(() => this.#answer(request, response, venue), this.#delayMs)
  }

  #answer(request: IncomingMessage, response: ServerResponse, venue: Venue): void {
    this.#counts.restAnswers++
    if (this.#refusals > 0) {
      this.#refusals--
      this.#counts.rest429++
      response.setHeader('Retry-After', String(this.#retryAfter))
      this.#write(response, { status: 429, body: json({ code: -1003, msg: 'Too many requests.' }) })
      return
    }
    const url = new URL(request.url ?? '/', 'http://loopback')
    const asked = { method: request.method ?? 'GET', path: url.pathname, query: url.searchParams }
    const answer = this.#protocol.rest?.(asked, venue)
    this.#write(
      response,
      answer ?? { status: 404, body: json({ code: 404, msg: `no ${asked.method} ${asked.path} here` }) },
    )
  }

  #write(response: ServerResponse, { status, body }: RestAnswer): void {
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(body)
  }
}
