import type { Applied, Feed } from 'velox-engine/feed'
import WebSocket from 'ws'
import type { Exchange } from './exchange/index.js'

/** What a program around a Feed does: connects, subscribes, and fetches or asks for what the feed needs to be live. */
export class FeedClient {
  readonly feed: Feed
  readonly symbols: readonly string[]
  readonly counts: Record<Applied, number> = { applied: 0, buffered: 0, ignored: 0, gap: 0, checksum: 0 }
  /** What was thrown for messages that are none. */
  readonly refused: unknown[] = []
  readonly #ws: WebSocket
  readonly #recovering = new Set<string>()

  private constructor(feed: Feed, symbols: readonly string[], ws: WebSocket) {
    this.feed = feed
    this.symbols = symbols
    this.#ws = ws
  }

  static async connect(exchange: Exchange, feed: Feed): Promise<FeedClient> {
    const ws = new WebSocket(await addressOf(exchange, feed))
    const client = new FeedClient(feed, exchange.symbols, ws)
    ws.on('message', (data) => client.#take(data as Buffer))
    // A connection that is cut is told by `close` too.
    ws.on('error', () => {})
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
    for (const message of feed.subscribeMessages()) ws.send(message)
    return client
  }

  get isLive(): boolean {
    return this.symbols.every((symbol) => this.feed.state(symbol) === 'live')
  }

  #take(data: Buffer): void {
    try {
      this.counts[this.feed.apply(data)]++
    } catch (error) {
      this.refused.push(error)
    }
    for (const symbol of this.symbols) {
      if (this.feed.state(symbol) === 'live') this.#recovering.delete(symbol)
      else void this.#recover(symbol)
    }
  }

  async #recover(symbol: string): Promise<void> {
    if (this.#recovering.has(symbol)) return
    const request = this.feed.snapshotRequest(symbol)
    if (!request) {
      if (this.feed.state(symbol) !== 'stale') return
      this.#recovering.add(symbol)
      for (const message of this.feed.resubscribeMessages(symbol)) this.#ws.send(message)
      return
    }
    this.#recovering.add(symbol)
    const answer = await fetch(request.url)
    const body = new Uint8Array(await answer.arrayBuffer())
    if (answer.ok) this.feed.snapshot(symbol, body)
    this.#recovering.delete(symbol)
  }

  close(): void {
    this.#ws.close()
  }
}

async function addressOf({ url, restUrl }: Exchange, { venue }: Feed): Promise<string> {
  if (venue !== 'kucoin') return url
  const answer = await fetch(`${restUrl}/api/v1/bullet-public`, { method: 'POST' })
  const { data } = (await answer.json()) as { data: { token: string; instanceServers: { endpoint: string }[] } }
  return `${data.instanceServers[0]?.endpoint}?token=${data.token}`
}
