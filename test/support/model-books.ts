import { crc32 } from 'node:zlib'
import WebSocket from 'ws'
import type { Exchange, VenueName } from './exchange/index.js'
import { until } from './until.js'

type Level = readonly [price: string, qty: string]

/** What one message says of one market, in the words of no venue. */
interface Told {
  readonly symbol: string
  readonly what: 'snapshot' | 'update' | 'trade'
  readonly bids?: readonly Level[]
  readonly asks?: readonly Level[]
  readonly first?: number
  readonly last?: number
  readonly previous?: number
  readonly checksum?: string
  readonly tradeId?: number
}

interface Rules {
  subscribe(symbols: readonly string[], op: 'subscribe' | 'unsubscribe'): string[]
  /** The path of a snapshot, for venues that give it by REST. */
  restPath?(symbol: string): string
  restBook?(body: Json): Told
  read(message: Json): Told[]
  /** What an update is to a book that stands at `sequence`. */
  follows(update: Told, sequence: number, book: ModelBook): 'next' | 'old' | 'gap'
  checksum?(book: ModelBook): string
  depth?: number
}

// biome-ignore lint/suspicious/noExplicitAny: what a model reads is the text of another program
type Json = any

const pairs = (levels: readonly (readonly string[])[] = []): Level[] => levels.map(([p = '', q = '']) => [p, q])

const bare = (text: string) => text.replace('.', '').replace(/^0+/, '')

/** A book that does what a venue's documentation says, slowly and plainly: the model that others are checked against. */
export class ModelBook {
  readonly bids: Map<string, string> = new Map()
  readonly asks: Map<string, string> = new Map()
  state: 'syncing' | 'live' | 'stale' = 'syncing'
  sequence = 0
  isFirst = false
  buffered: Told[] = []
  counts = { applied: 0, ignored: 0, gaps: 0, checksums: 0, wrongChecksums: 0, trades: 0, repeatedTrades: 0 }
  lastTrade = 0

  top(depth = Infinity): { bids: Level[]; asks: Level[] } {
    const sorted = (side: Map<string, string>, direction: number) =>
      [...side].sort((a, b) => (Number(a[0]) - Number(b[0])) * direction).slice(0, depth)
    return { bids: sorted(this.bids, -1), asks: sorted(this.asks, 1) }
  }

  set({ bids = [], asks = [] }: Told, depth: number): void {
    for (const [side, levels] of [[this.bids, bids] as const, [this.asks, asks] as const]) {
      for (const [price, qty] of levels) {
        if (Number(qty) === 0) side.delete(price)
        else side.set(price, qty)
      }
    }
    if (depth === Infinity) return
    const top = this.top(depth)
    for (const [side, kept] of [[this.bids, top.bids] as const, [this.asks, top.asks] as const]) {
      side.clear()
      for (const [price, qty] of kept) side.set(price, qty)
    }
  }
}

function alternating(book: ModelBook): string {
  const { bids, asks } = book.top(25)
  const parts = Array.from({ length: 25 }, (_, i) => [bids[i], asks[i]].flatMap((level) => level ?? []))
  return String(crc32(parts.flat().join(':')) | 0)
}

const binance = (prefix: string, hasPrevious: boolean): Rules => ({
  subscribe: (symbols, op) => {
    const params = symbols.flatMap((s) => [`${s.toLowerCase()}@depth@100ms`, `${s.toLowerCase()}@trade`])
    return [JSON.stringify({ method: op.toUpperCase(), params, id: 1 })]
  },
  restPath: (symbol) => `/${prefix}/depth?symbol=${symbol}&limit=1000`,
  restBook: (b) => ({ symbol: '', what: 'snapshot', bids: b.bids, asks: b.asks, last: b.lastUpdateId }),
  read: ({ data }) => {
    if (data?.e === 'trade') return [{ symbol: data.s, what: 'trade', tradeId: data.t }]
    if (data?.e !== 'depthUpdate') return []
    return [
      { symbol: data.s, what: 'update', bids: data.b, asks: data.a, first: data.U, last: data.u, previous: data.pu },
    ]
  },
  follows: ({ first = 0, last = 0, previous = 0 }, sequence, book) => {
    if (last < sequence + (hasPrevious && book.isFirst ? 0 : 1)) return 'old'
    // A futures snapshot may lie in the hole before an event: `pu` says that nothing is missing there.
    if (book.isFirst) return (hasPrevious ? previous <= sequence : first <= sequence + 1) ? 'next' : 'gap'
    return (hasPrevious ? previous === sequence : first === sequence + 1) ? 'next' : 'gap'
  },
})

const rules: Readonly<Record<VenueName, Rules>> = {
  'binance-spot': binance('api/v3', false),
  'binance-usdm': binance('fapi/v1', true),
  'binance-coinm': binance('dapi/v1', true),
  kraken: {
    subscribe: (pair, event) =>
      [{ name: 'book', depth: 10 }, { name: 'trade' }].map((subscription) =>
        JSON.stringify({ event, pair, subscription }),
      ),
    depth: 10,
    read: (message) => {
      if (!Array.isArray(message)) return []
      const symbol = message.at(-1)
      if (message.at(-2) === 'trade') return message[1].map(() => ({ symbol, what: 'trade' }))
      const all = Object.assign({}, ...message.slice(1, -2))
      if (all.as) return [{ symbol, what: 'snapshot', bids: pairs(all.bs), asks: pairs(all.as) }]
      return [{ symbol, what: 'update', bids: pairs(all.b), asks: pairs(all.a), checksum: all.c }]
    },
    follows: () => 'next',
    checksum: (book) => {
      const { bids, asks } = book.top(10)
      return String(crc32([...asks, ...bids].map(([p, q]) => bare(p) + bare(q)).join('')))
    },
  },
  okx: {
    subscribe: (symbols, op) => {
      const args = symbols.flatMap((instId) => ['books', 'trades'].map((channel) => ({ channel, instId })))
      return [JSON.stringify({ op, args })]
    },
    read: ({ arg, action, data }) => {
      if (!data) return []
      const symbol = arg.instId
      if (arg.channel === 'trades')
        return data.map((t: Json) => ({ symbol, what: 'trade', tradeId: Number(t.tradeId) }))
      const one = data[0]
      const levels = { bids: pairs(one.bids), asks: pairs(one.asks), checksum: String(one.checksum) }
      return [{ symbol, what: action, ...levels, last: one.seqId, previous: one.prevSeqId }]
    },
    follows: ({ previous, last = 0 }, sequence) => (previous === sequence ? 'next' : last <= sequence ? 'old' : 'gap'),
    checksum: alternating,
  },
  bybit: {
    subscribe: (symbols, op) => [
      JSON.stringify({ op, args: symbols.flatMap((s) => [`orderbook.50.${s}`, `publicTrade.${s}`]) }),
    ],
    read: ({ topic, type, data }) => {
      if (topic?.startsWith('publicTrade')) {
        return data.map((t: Json) => ({ symbol: t.s, what: 'trade', tradeId: Number(t.i) }))
      }
      if (!topic) return []
      const what = type === 'snapshot' ? 'snapshot' : 'update'
      return [{ symbol: data.s, what, bids: data.b, asks: data.a, last: data.u }]
    },
    follows: ({ last = 0 }, sequence) => (last === sequence + 1 ? 'next' : last <= sequence ? 'old' : 'gap'),
  },
  coinbase: {
    subscribe: (product_ids, type) =>
      ['level2', 'market_trades', 'heartbeats'].map((channel) => JSON.stringify({ type, product_ids, channel })),
    read: ({ channel, sequence_num, events = [] }) =>
      events.flatMap((event: Json): Told[] => {
        if (channel === 'market_trades') {
          return event.trades.map((t: Json) => ({ symbol: t.product_id, what: 'trade', tradeId: Number(t.trade_id) }))
        }
        if (channel !== 'l2_data') return []
        const side = (name: string) =>
          event.updates.filter((u: Json) => u.side === name).map((u: Json) => [u.price_level, u.new_quantity])
        const levels = { bids: side('bid'), asks: side('offer') }
        return [{ symbol: event.product_id, what: event.type, ...levels, last: sequence_num }]
      }),
    // Numbers are a connection's, not a book's: the client looks for what is missing.
    follows: ({ last = 0 }, sequence) => (last > sequence ? 'next' : 'old'),
  },
  kucoin: {
    subscribe: (symbols, type) =>
      ['level2', 'match'].map((name) =>
        JSON.stringify({ id: name, type, topic: `/market/${name}:${symbols.join()}`, response: true }),
      ),
    restPath: (symbol) => `/api/v1/market/orderbook/level2_100?symbol=${symbol}`,
    restBook: ({ data }) => ({
      symbol: '',
      what: 'snapshot',
      bids: data.bids,
      asks: data.asks,
      last: Number(data.sequence),
    }),
    read: ({ type, subject, data }) => {
      if (type !== 'message') return []
      if (subject === 'trade.l3match') return [{ symbol: data.symbol, what: 'trade', tradeId: Number(data.tradeId) }]
      const levels = { bids: pairs(data.changes.bids), asks: pairs(data.changes.asks) }
      return [{ symbol: data.symbol, what: 'update', ...levels, first: data.sequenceStart, last: data.sequenceEnd }]
    },
    follows: ({ first = 0, last = 0 }, sequence) => (last <= sequence ? 'old' : first <= sequence + 1 ? 'next' : 'gap'),
  },
  bitget: {
    subscribe: (symbols, op) => {
      const args = symbols.flatMap((instId) =>
        ['books', 'trade'].map((channel) => ({ instType: 'SPOT', channel, instId })),
      )
      return [JSON.stringify({ op, args })]
    },
    read: ({ action, arg, data }) => {
      if (!action) return []
      const symbol = arg.instId
      if (arg.channel === 'trade') return data.map((t: Json) => ({ symbol, what: 'trade', tradeId: Number(t.tradeId) }))
      const { bids, asks, checksum, seq } = data[0]
      return [{ symbol, what: action, bids, asks, checksum: String(checksum), last: seq }]
    },
    // Numbers only grow: what is missing is told by the checksum.
    follows: ({ last = 0 }, sequence) => (last > sequence ? 'next' : 'old'),
    checksum: alternating,
  },
}

/** A plain client of one venue with a model book for each market. */
export class ModelClient {
  readonly books: Map<string, ModelBook>
  readonly messages: string[] = []
  ws!: WebSocket
  pings = 0
  #expected = 0
  readonly #rules: Rules
  readonly #exchange: Exchange
  readonly #ca: Buffer | undefined

  private constructor(exchange: Exchange, venue: VenueName, symbols: readonly string[], ca?: Buffer) {
    this.#exchange = exchange
    this.#rules = rules[venue]
    this.#ca = ca
    this.books = new Map(symbols.map((symbol) => [symbol, new ModelBook()]))
  }

  static async connect(exchange: Exchange, venue: VenueName, o: { symbols?: readonly string[]; ca?: Buffer } = {}) {
    const client = new ModelClient(exchange, venue, o.symbols ?? exchange.symbols, o.ca)
    await client.connect()
    return client
  }

  get depth(): number {
    return this.#rules.depth ?? Infinity
  }

  book(symbol: string): ModelBook {
    const book = this.books.get(symbol)
    if (!book) throw new Error(`the client reads no ${symbol}`)
    return book
  }

  /** Connects anew, with books that know nothing. */
  async connect(): Promise<void> {
    this.messages.length = 0
    for (const symbol of this.books.keys()) this.books.set(symbol, new ModelBook())
    this.#expected = 0
    let { url } = this.#exchange
    if (url.startsWith('ws:') && this.#rules === rules.kucoin) {
      const answer = await fetch(`${this.#exchange.restUrl}/api/v1/bullet-public`, { method: 'POST' })
      const { data } = (await answer.json()) as Json
      url = `${data.instanceServers[0].endpoint}?token=${data.token}&connectId=1`
    }
    const ws = new WebSocket(url, this.#ca ? { ca: this.#ca } : {})
    this.ws = ws
    ws.on('error', () => {})
    ws.on('ping', () => this.pings++)
    ws.on('message', (data, isBinary) => this.#read(isBinary ? '' : data.toString()))
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
    for (const text of this.#rules.subscribe([...this.books.keys()], 'subscribe')) ws.send(text)
    if (!this.#rules.restPath) return
    // A snapshot may be asked for once the stream runs: what happens between the two would be lost.
    const isConfirmed = () => this.messages.some((text) => text.includes('"result"') || text.includes('"ack"'))
    await until(isConfirmed)
    await this.fetchSnapshots()
  }

  /** Asks for the snapshots of books that are not live, where they come by REST. */
  async fetchSnapshots(): Promise<number[]> {
    const { restPath, restBook } = this.#rules
    if (!restPath || !restBook) return []
    const statuses: number[] = []
    for (const [symbol, book] of this.books) {
      if (book.state === 'live') continue
      const answer = await fetch(this.#exchange.restUrl + restPath(symbol))
      statuses.push(answer.status)
      if (!answer.ok) continue
      this.#apply(book, restBook(await answer.json()))
    }
    return statuses
  }

  /** Begins again with the books that are not live. */
  async resync(): Promise<void> {
    const lost = [...this.books].filter(([, book]) => book.state !== 'live').map(([symbol]) => symbol)
    for (const symbol of lost) {
      const book = this.book(symbol)
      book.state = 'syncing'
    }
    if (this.#rules.restPath) await this.fetchSnapshots()
    else {
      for (const op of ['unsubscribe', 'subscribe'] as const) {
        for (const text of this.#rules.subscribe(lost, op)) this.ws.send(text)
      }
    }
  }

  #read(text: string): void {
    this.messages.push(text)
    let message: Json
    try {
      message = JSON.parse(text)
    } catch {
      return
    }
    if (typeof message?.sequence_num === 'number') this.#counted(message.sequence_num)
    for (const told of this.#rules.read(message)) {
      const book = this.books.get(told.symbol)
      if (book) this.#apply(book, told)
    }
  }

  /** Coinbase numbers the messages of a connection: a missing one may have been of any book. */
  #counted(number: number): void {
    if (number > this.#expected) {
      for (const book of this.books.values()) {
        if (book.state !== 'live') continue
        book.counts.gaps++
        book.state = 'stale'
      }
    }
    this.#expected = number + 1
  }

  #apply(book: ModelBook, told: Told): void {
    const { counts } = book
    if (told.what === 'trade') {
      counts.trades++
      if (told.tradeId === undefined) return
      if (told.tradeId <= book.lastTrade) counts.repeatedTrades++
      else book.lastTrade = told.tradeId
    } else if (told.what === 'snapshot') {
      this.#restart(book, told)
    } else if (book.state === 'live') {
      this.#update(book, told)
    } else if (this.#rules.restPath) {
      book.buffered.push(told)
    }
  }

  #restart(book: ModelBook, told: Told): void {
    book.bids.clear()
    book.asks.clear()
    book.set(told, this.depth)
    book.sequence = told.last ?? 0
    book.isFirst = true
    book.state = 'live'
    const { buffered } = book
    book.buffered = []
    for (const update of buffered) if (book.state === 'live') this.#update(book, update)
    // A snapshot from before what was buffered: the next one may be better, so what was buffered stays.
    if (book.state !== 'live') book.buffered = buffered
  }

  #update(book: ModelBook, told: Told): void {
    const { counts } = book
    const verdict = this.#rules.follows(told, book.sequence, book)
    if (verdict === 'old') {
      counts.ignored++
    } else if (verdict === 'gap') {
      counts.gaps++
      book.state = 'stale'
      book.buffered = [told]
    } else {
      book.set(told, this.depth)
      book.sequence = told.last ?? 0
      book.isFirst = false
      counts.applied++
      if (told.checksum === undefined || !this.#rules.checksum) return
      counts.checksums++
      if (this.#rules.checksum(book) === told.checksum) return
      counts.wrongChecksums++
      book.state = 'stale'
    }
  }
}
