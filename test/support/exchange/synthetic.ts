import type { Client } from './client.js'
import { type BookEvent, type MarketSpec, SyntheticMarket, type TradeEvent, type Truth } from './market.js'
import type { Protocol, Subscription } from './protocol.js'
import { Random } from './random.js'
import type { Source } from './source.js'

export interface SyntheticOptions {
  readonly markets: readonly MarketSpec[]
  readonly seed: number
  /** Book and trade messages a second over all markets; 0 waits for `step`. */
  readonly rate: number
  /**
   * `timer` sends what is due about every millisecond; `spin` sends each message when it is due and takes a whole core,
   * for measurements.
   */
  readonly pacing: 'timer' | 'spin'
  readonly levels: number
  readonly trades: number
  readonly keepEvents: number
  readonly checksums: boolean
}

/** What nobody sees: it makes the start of a market an old book for those who connect. */
const EVENTS_BEFORE = 200

/** Messages that one turn sends at most: what a pause left due is then skipped, not sent in one burst. */
const TURN_MOST = 2000

/** Of one event the trade is told first, the book last, as Binance does. */
const ORDER = { trade: 0, ticker: 1, book: 2 } as const

interface Reader {
  readonly client: Client
  readonly subscription: Subscription
}

/** Made-up markets, told to whoever has subscribed. */
export class SyntheticSource implements Source {
  readonly #markets: Map<string, SyntheticMarket>
  readonly #readers: Map<string, Reader[]>
  readonly #best: Map<string, string> = new Map()
  readonly #random: Random
  #rate: number
  #startedMs = 0
  #sent = 0
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  readonly #protocol: Protocol
  readonly #options: SyntheticOptions

  constructor(protocol: Protocol, options: SyntheticOptions) {
    this.#protocol = protocol
    this.#options = options
    this.#random = new Random(options.seed)
    const { levels, trades, keepEvents, checksums } = options
    const { numbering, style } = protocol
    this.#markets = new Map(
      options.markets.map((spec, i) => {
        const random = new Random(options.seed * 1009 + i)
        const market = new SyntheticMarket(spec, { numbering, style, random, levels, trades, keepEvents, checksums })
        for (let n = 0; n < EVENTS_BEFORE; n++) market.next(Date.now())
        return [spec.symbol, market]
      }),
    )
    this.#readers = new Map(options.markets.map(({ symbol }) => [symbol, []]))
    this.#rate = options.rate
    this.run(options.rate)
  }

  get symbols(): readonly string[] {
    return [...this.#markets.keys()]
  }

  has({ symbol }: Subscription): boolean {
    return this.#markets.has(symbol)
  }

  market(symbol: string): SyntheticMarket | undefined {
    return this.#markets.get(symbol)
  }

  confirmation(): undefined {
    return undefined
  }

  restBook(symbol: string, depth: number, isOld: boolean): Truth | undefined {
    const market = this.#markets.get(symbol)
    return isOld ? market?.oldTruth(depth) : market?.truth(depth)
  }

  start(client: Client, subscription: Subscription): void {
    const market = this.#markets.get(subscription.symbol)
    if (!market) return
    this.stop(client, subscription.key)
    const readers = this.#readers.get(subscription.symbol)
    readers?.push({ client, subscription })
    readers?.sort((a, b) => ORDER[a.subscription.channel] - ORDER[b.subscription.channel])
    if (subscription.channel !== 'book' || !this.#protocol.snapshot) return
    subscription.view?.reset(market.book)
    const text = this.#protocol.snapshot(subscription, market, client)
    client.send(text, { kind: 'snapshot', symbol: subscription.symbol, sequence: market.sequence })
  }

  stop(client: Client, key: string): void {
    this.#drop((reader) => reader.client === client && reader.subscription.key === key)
  }

  forget(client: Client): void {
    this.#drop((reader) => reader.client === client)
  }

  #drop(isOut: (reader: Reader) => boolean): void {
    for (const [symbol, readers] of this.#readers) {
      if (readers.some(isOut))
        this.#readers.set(
          symbol,
          readers.filter((reader) => !isOut(reader)),
        )
    }
  }

  /** Goes on by itself with this many messages a second; 0 stands still. */
  run(rate: number): void {
    this.close()
    this.#rate = rate
    this.#startedMs = performance.now()
    this.#sent = 0
    if (rate <= 0) return
    if (this.#options.pacing === 'spin') this.#spin()
    else this.#timer = setInterval(() => this.#due(), Math.max(1, Math.min(100, 1000 / rate)))
  }

  /** The next `events` events of all markets, in turn by chance, told at once. */
  step(events: number): void {
    for (let n = 0; n < events; n++) this.#next()
  }

  finished(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {
    clearInterval(this.#timer)
    clearImmediate(this.#immediate)
    this.#timer = undefined
    this.#immediate = undefined
  }

  #spin(): void {
    this.#due()
    this.#immediate = setImmediate(() => this.#spin())
  }

  #due(): void {
    const due = Math.floor(((performance.now() - this.#startedMs) / 1000) * this.#rate)
    for (let n = 0; this.#sent < due && n < TURN_MOST; n++) this.#sent += this.#next()
    this.#sent = Math.max(this.#sent, due - TURN_MOST)
  }

  /** How many messages that was, for a client that reads books and trades. */
  #next(): number {
    const symbols = this.#options.markets
    const { symbol } = symbols[this.#random.below(symbols.length)] as MarketSpec
    const market = this.#markets.get(symbol) as SyntheticMarket
    const { event, trade } = market.next(Date.now())
    const readers = this.#readers.get(symbol) ?? []
    const hasNewBest = readers.length > 0 && this.#isNewBest(symbol, market)
    for (const reader of readers) this.#tell(reader, market, event, trade, hasNewBest)
    return trade ? 2 : 1
  }

  #isNewBest(symbol: string, { book }: SyntheticMarket): boolean {
    const best = [book.bid.prices[0], book.bid.qtys[0], book.ask.prices[0], book.ask.qtys[0]].join()
    if (this.#best.get(symbol) === best) return false
    this.#best.set(symbol, best)
    return true
  }

  #tell(
    { client, subscription }: Reader,
    market: SyntheticMarket,
    event: BookEvent,
    trade: TradeEvent | undefined,
    hasNewBest: boolean,
  ): void {
    const { channel, symbol } = subscription
    const protocol = this.#protocol
    if (channel === 'trade') {
      if (trade) client.send(protocol.trade(subscription, trade, market, client), { kind: 'trade', symbol })
    } else if (channel === 'ticker') {
      if (hasNewBest && protocol.ticker) client.send(protocol.ticker(subscription, event, market), { kind: 'other' })
    } else {
      const text = protocol.book(subscription, event, market, client)
      if (text !== undefined) client.send(text, { kind: 'book', symbol, sequence: event.last })
    }
  }
}
