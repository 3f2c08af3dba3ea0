import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { CapturedSource } from './captured.js'
import { Client } from './client.js'
import { Stamps } from './clock.js'
import { type Aim, type Counts, Faults, noCounts } from './faults.js'
import type { Truth } from './market.js'
import { type ExchangeOptions, withDefaults } from './options.js'
import type { Protocol, Venue } from './protocol.js'
import { Rest } from './rest.js'
import type { Source } from './source.js'
import { SyntheticSource } from './synthetic.js'
import { makeTls, type TlsFiles } from './tls.js'

/** What `garbage` sends where it is not told what: no JSON, half of it, JSON of another shape, and bytes. */
const GARBAGE = [
  '}{ not JSON',
  '{"stream":"btcusdt@depth","data":{"e":"depthUp',
  '[null,{"data":[{}]}]',
  Buffer.alloc(64, 0xfe),
]

/** How often clients are looked after: heartbeats, pings, silence. */
const CARE_MS = 100

/** A local exchange: one venue's WebSocket and REST on one port of loopback. */
export class Exchange {
  readonly counts: Counts = noCounts()
  readonly symbols: readonly string[]
  #url = ''
  #restUrl = ''
  readonly #protocol: Protocol
  readonly #source: Source
  readonly #faults: Faults
  readonly #rest: Rest
  readonly #stamps: Stamps | undefined
  readonly #tls: TlsFiles | undefined
  readonly #server: Server
  readonly #sockets: WebSocketServer = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  readonly #clients: Set<Client> = new Set()
  readonly #connections: Set<Socket> = new Set()
  readonly #care: NodeJS.Timeout
  readonly #pinged: WeakMap<Client, number> = new WeakMap()
  #stall: NodeJS.Timeout | undefined
  #refusesUntilMs = 0
  #garbled = 0
  readonly #options: ReturnType<typeof withDefaults>

  private constructor(options: ReturnType<typeof withDefaults>) {
    this.#options = options
    const { protocol, market } = options
    this.#protocol = protocol
    this.#faults = new Faults(this.counts)
    this.#source = market === 'capture' ? new CapturedSource(protocol, options) : new SyntheticSource(protocol, options)
    this.symbols = this.#source.symbols
    this.#rest = new Rest(protocol, this.#source, this.counts, options.restDelayMs)
    this.#stamps = options.stamps > 0 ? new Stamps(options.stamps) : undefined
    this.#tls = options.tls ? makeTls() : undefined
    const handle = (request: IncomingMessage, response: ServerResponse) =>
      this.#rest.handle(request, response, this.#venue)
    this.#server = this.#tls ? createTlsServer(this.#tls, handle) : createServer(handle)
    this.#server.on('connection', (socket) => this.#connected(socket))
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head))
    this.#care = setInterval(() => this.#lookAfter(), CARE_MS)
    this.#care.unref()
  }

  static async start(options: ExchangeOptions): Promise<Exchange> {
    const exchange = new Exchange(withDefaults(options))
    await exchange.#listen()
    return exchange
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.port, '127.0.0.1', resolve)
    })
    const host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    const s = this.#tls ? 's' : ''
    this.#url = `ws${s}://${host}${this.#protocol.path}`
    this.#restUrl = `http${s}://${host}`
  }

  /** Where its WebSocket is, with the venue's path. */
  get url(): string {
    return this.#url
  }

  /** The base of its REST URLs. */
  get restUrl(): string {
    return this.#restUrl
  }

  /** The certificate of the authority that it made, for `SSL_CERT_FILE`; with `tls` only. */
  get caFile(): string | undefined {
    return this.#tls?.caFile
  }

  /** Clients that are connected now. */
  get clients(): number {
    return this.#clients.size
  }

  /** Faults that were asked for and wait for their message. */
  get pendingFaults(): number {
    return this.#faults.pending
  }

  // The truth

  /** The book of a made-up market as it is now, at most `depth` levels a side. */
  truth(symbol: string, depth?: number): Truth {
    return this.#market(symbol).truth(depth)
  }

  /** The book after the event that ends with `sequence`; throws where that is none, or is not kept any more. */
  truthAt(symbol: string, sequence: number, depth?: number): Truth {
    return this.#market(symbol).truthAt(sequence, depth)
  }

  /** When the event that ends with `sequence` was first sent, in epoch nanoseconds; needs `stamps`. */
  sentAt(symbol: string, sequence: number): bigint | undefined {
    return this.#stamps?.at(symbol, sequence)
  }

  /** All send stamps of a symbol, `[sequence, epoch nanoseconds]`. */
  sent(symbol: string): [number, bigint][] {
    return this.#stamps?.all(symbol) ?? []
  }

  #market(symbol: string) {
    const market = this.#source.market(symbol)
    if (!market) throw new Error(`${symbol} is no made-up market of this exchange: it has ${this.symbols.join()}`)
    return market
  }

  // Its course

  /** Made-up markets: this many messages a second from now on; 0 stands still. */
  run(rate: number): void {
    this.#synthetic().run(rate)
  }

  /** Made-up markets: the next `events` events, told at once. */
  step(events = 1): void {
    this.#synthetic().step(events)
  }

  /** Until captures have been played to whoever subscribed. */
  finished(): Promise<void> {
    return this.#source.finished()
  }

  #synthetic(): SyntheticSource {
    if (this.#source instanceof SyntheticSource) return this.#source
    throw new Error("a capture has its own course: this needs market: 'synthetic'")
  }

  // Misbehaviour

  /** The next `count` messages are not sent. */
  dropNext(count = 1, aim: Aim = {}): void {
    this.#faults.plan('drop', count, aim)
  }

  /** The next `count` messages are each sent twice. */
  repeatNext(count = 1, aim: Aim = {}): void {
    this.#faults.plan('repeat', count, aim)
  }

  /** The next message of a market is sent after the one behind it. */
  swapNext(count = 1, aim: Aim = {}): void {
    this.#faults.plan('swap', count, aim)
  }

  /** Every connection ends in the middle of a frame. */
  cut(): void {
    for (const client of this.#clients) {
      client.cut()
      this.counts.cut++
    }
  }

  /** Every connection is closed properly, as exchanges do after 24 hours, with their notice before. */
  closeAll(code = 1001, reason = 'going away'): void {
    for (const client of this.#clients) {
      if (this.#protocol.farewell) client.answer(this.#protocol.farewell)
      client.close(code, reason)
      this.counts.closed++
    }
  }

  /** For `ms` nothing is sent and nothing read, pings included; then what came up meanwhile is sent. */
  stall(ms: number): void {
    this.counts.stalls++
    clearTimeout(this.#stall)
    for (const client of this.#clients) client.hold()
    this.#stall = setTimeout(() => {
      this.#stall = undefined
      for (const client of this.#clients) client.release()
    }, ms)
  }

  /** Every client gets this, or something else each time that is no message of the venue. */
  garbage(bytes: string | Buffer = GARBAGE[this.#garbled++ % GARBAGE.length] as string | Buffer): void {
    for (const client of this.#clients) {
      client.garbage(bytes)
      this.counts.garbage++
    }
  }

  /** The next `count` REST answers are 429 with `Retry-After`, in seconds. */
  rest429(count = 1, retryAfter = 1): void {
    this.#rest.refuse(count, retryAfter)
  }

  /** The next `count` REST snapshots are from before anything that was sent. */
  oldSnapshot(count = 1): void {
    this.#rest.old += count
  }

  /** For `ms` REST requests get no answer: their connection is reset. */
  restDown(ms: number): void {
    this.#rest.downUntilMs = Date.now() + ms
  }

  /** For `ms` new connections are reset, those of REST too. Those that are there stay. */
  refuseConnections(ms: number): void {
    this.#refusesUntilMs = Date.now() + ms
    // A connection kept for the next REST request would get around it.
    this.#server.closeIdleConnections()
  }

  async close(): Promise<void> {
    clearInterval(this.#care)
    clearTimeout(this.#stall)
    this.#source.close()
    for (const client of this.#clients) client.terminate()
    for (const socket of this.#connections) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    this.#tls?.remove()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // Connections

  get #venue(): Venue {
    const source = this.#source
    return {
      url: this.#url,
      has: (subscription) => source.has(subscription),
      market: (symbol) => source.market(symbol),
      confirmation: (key) => source.confirmation(key),
      restBook: (symbol, depth) => this.#rest.book(symbol, depth),
    }
  }

  #connected(socket: Socket): void {
    if (Date.now() < this.#refusesUntilMs) {
      this.counts.refused++
      socket.resetAndDestroy()
      return
    }
    this.#connections.add(socket)
    socket.on('close', () => this.#connections.delete(socket))
    socket.setNoDelay(true)
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Whatever a client does to its connection is no failure of the exchange.
    socket.on('error', () => socket.destroy())
    const url = new URL(request.url ?? '/', 'http://loopback')
    const status = this.#protocol.admit?.(url)
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#admit(ws, socket, url))
  }

  #admit(ws: WebSocket, socket: Socket, url: URL): void {
    const client = new Client(ws, socket, this.#faults, {
      slowBytes: this.#options.slowBytes,
      subscribed: (c, subscription) => this.#source.start(c, subscription),
      unsubscribed: (c, key) => this.#source.stop(c, key),
      sent: ({ kind, symbol, sequence }) => {
        if (kind === 'book' && symbol !== undefined && sequence !== undefined) this.#stamps?.add(symbol, sequence)
      },
    })
    this.counts.connections++
    this.#clients.add(client)
    this.#pinged.set(client, Date.now())
    const heard = () => {
      client.lastHeardMs = Date.now()
    }
    ws.on('ping', heard)
    ws.on('pong', heard)
    ws.on('error', () => client.terminate())
    ws.on('close', () => {
      this.#clients.delete(client)
      this.#source.forget(client)
    })
    ws.on('message', (data) => {
      heard()
      this.#protocol.received(client, data.toString(), this.#venue)
    })
    if (this.#stall) client.hold()
    this.#protocol.connected?.(client, url, this.#venue)
  }

  #lookAfter(): void {
    const now = Date.now()
    const { heartbeatMs, pingEveryMs, idleTimeoutMs } = this.#options
    if (this.#stall) return
    for (const client of this.#clients) {
      if (now - client.lastSentMs >= heartbeatMs) {
        const text = this.#protocol.heartbeat?.(client)
        if (text !== undefined) client.answer(text)
      }
      if (now - (this.#pinged.get(client) ?? 0) >= pingEveryMs && !client.isGone) {
        this.#pinged.set(client, now)
        client.ws.ping()
      }
      if (now - client.lastHeardMs > idleTimeoutMs) {
        this.counts.silent++
        client.close(1008, 'no message received in time')
      }
    }
  }
}

/** Starts a local exchange on loopback; see {@link ExchangeOptions}. */
export const startExchange = (options: ExchangeOptions): Promise<Exchange> => Exchange.start(options)
