import type { Applied, Feed as Face, Heartbeat, Venue } from '../../feed.js'
import type { Instrument as InstrumentFace, RingBuffer as RingFace, Trade as TradeFace } from '../../index.js'
import { L2Book } from '../book/l2-book.js'
import { checkOptions, checkString, checkTicks, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { asVeloxError, call, native, owned } from '../native.js'
import { Instrument } from '../record/instrument.js'
import { Trade } from '../record/market.js'
import { ringSlot } from '../ring/native-ring.js'
import { internals, RingBuffer } from '../ring/ring-buffer.js'
import { marketsOf } from './markets.js'
import { checkVenue } from './venues.js'

const APPLIED: readonly Applied[] = ['applied', 'buffered', 'ignored', 'gap', 'checksum']
const STATES = ['syncing', 'live', 'stale'] as const

const isRingOf = (ring: unknown, type: unknown) => ring instanceof RingBuffer && internals(ring).type === type

function checkMessage(field: string, message: string | Uint8Array): void {
  if (typeof message !== 'string' && !(message instanceof Uint8Array))
    refuse(field, 'a string or a Uint8Array', message)
}

export class Feed implements Face {
  readonly venue: Venue
  readonly #slot: number
  /** By symbol, in the order of the symbols. */
  readonly #books: ReadonlyMap<string, L2Book>
  readonly #symbols: readonly string[]
  /** The ring's memory is its handle's. */
  readonly #trades: RingFace<typeof TradeFace> | undefined

  constructor(o: {
    venue: Venue
    symbols: readonly (string | InstrumentFace)[]
    trades?: RingFace<typeof TradeFace>
    restUrl?: string
  }) {
    checkOptions(o, ['venue', 'symbols', 'trades', 'restUrl'], 'Feed')
    this.venue = checkVenue(o.venue)
    const { trades, restUrl } = o
    if (trades !== undefined && !isRingOf(trades, Trade)) refuse('trades', 'a RingBuffer of Trade', trades)
    const plan = {
      venue: o.venue,
      markets: marketsOf(o.venue, o.symbols),
      ...(trades && { trades: ringSlot(trades) }),
      ...(restUrl !== undefined && { restUrl: checkString('restUrl', restUrl) }),
    }
    this.#slot = owned(
      this,
      call(() => native.feedNew(JSON.stringify(plan))),
    )
    const books = JSON.parse(native.feedBooks(this.#slot)) as { slot: number; instrument: number }[]
    this.#books = new Map(
      books.map(({ slot, instrument: id }) => {
        const instrument = Instrument.of(id)
        return [instrument.symbol, L2Book.of(slot, instrument)]
      }),
    )
    this.#symbols = [...this.#books.keys()]
    this.#trades = trades
  }

  apply(message: string | Uint8Array, receiveTs?: bigint): Applied {
    if (receiveTs !== undefined) checkTicks('receiveTs', receiveTs)
    let applied: number
    try {
      applied = native.feedApply(this.#slot, message, receiveTs ?? 0)
    } catch (error) {
      checkMessage('message', message)
      throw asVeloxError(error)
    }
    return APPLIED[applied] as Applied
  }

  snapshot(symbol: string, body: string | Uint8Array, receiveTs?: bigint): Applied {
    checkMessage('body', body)
    const market = this.#market(symbol)
    const time = receiveTs === undefined ? 0 : checkTicks('receiveTs', receiveTs)
    return APPLIED[call(() => native.feedSnapshot(this.#slot, body, time, market))] as Applied
  }

  #market(symbol: string): number {
    const market = this.#symbols.indexOf(checkString('symbol', symbol))
    if (market === -1) throw new VeloxError('VELOX_UNKNOWN_SYMBOL', { symbol, known: this.#symbols })
    return market
  }

  book(symbol: string): L2Book {
    this.#market(symbol)
    return this.#books.get(symbol) as L2Book
  }

  state(symbol: string): (typeof STATES)[number] {
    this.#market(symbol)
    return STATES[native.feedState(this.#slot, symbol)] as (typeof STATES)[number]
  }

  snapshotRequest(symbol: string): { url: string } | undefined {
    this.#market(symbol)
    const url = native.feedRequest(this.#slot, symbol)
    return typeof url === 'string' ? { url } : undefined
  }

  staleSymbols(): string[] {
    return native.feedStale(this.#slot)
  }

  subscribeMessages(): string[] {
    return native.feedSubscribe(this.#slot)
  }

  resubscribeMessages(symbol: string): string[] {
    this.#market(symbol)
    return native.feedSubscribe(this.#slot, symbol)
  }

  heartbeat(): Heartbeat | undefined {
    const heartbeat = native.feedHeartbeat(this.#slot)
    return typeof heartbeat === 'string' ? (JSON.parse(heartbeat) as Heartbeat) : undefined
  }

  disconnected(): void {
    native.feedDisconnected(this.#slot)
  }

  get droppedTrades(): number {
    void this.#trades
    return native.feedDropped(this.#slot)
  }
}
