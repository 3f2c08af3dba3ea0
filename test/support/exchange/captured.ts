import { type CapturedMessage, type CaptureFiles, readCapture } from './captures.js'
import type { Client } from './client.js'
import type { Protocol, Sorted, Subscription } from './protocol.js'
import { type CapturedBook, rebuild } from './rebuild.js'
import type { Source } from './source.js'

export interface CapturedOptions {
  readonly files: CaptureFiles
  /** Times the recorded speed; Infinity goes as fast as the client reads. */
  readonly speed: number
  /** Plays these only; all, where empty. */
  readonly symbols: readonly string[]
}

interface Entry extends CapturedMessage, Sorted {}

/** Subscriptions that come within this time are played together, in the recorded order. */
const SETTLE_MS = 30

/** Unread bytes beyond which playing waits. */
const BACKLOG_MOST = 2 ** 20

interface Playback {
  readonly client: Client
  readonly keys: Set<string>
  timer: NodeJS.Timeout | undefined
  next: number
  startedMs: number
}

/**
 * What was captured, byte for byte: each subscription is played from the capture's beginning, as a capture that has a
 * snapshot in its stream has it nowhere else.
 */
export class CapturedSource implements Source {
  readonly symbols: readonly string[]
  readonly #entries: Entry[] = []
  readonly #keys: Set<string> = new Set()
  readonly #confirmations: Map<string, string> = new Map()
  readonly #rest: Map<string, string> = new Map()
  /** How far the book of a symbol has been played to whoever subscribed last. */
  readonly #positions: Map<string, number> = new Map()
  readonly #asked: Set<string> = new Set()
  readonly #playbacks: Set<Playback> = new Set()
  #waiting: (() => void)[] = []
  #hasPlayed = false
  readonly #protocol: Protocol
  readonly #options: CapturedOptions

  constructor(protocol: Protocol, options: CapturedOptions) {
    this.#protocol = protocol
    this.#options = options
    const { symbols, files } = options
    for (const message of readCapture(files.stream)) this.#read(message)
    this.symbols = [...new Set(this.#entries.map((entry) => entry.symbol))]
    if (files.rest) this.#readRest(readCapture(files.rest))
    for (const symbol of symbols) {
      if (!this.symbols.includes(symbol))
        throw new Error(`${files.stream} has no ${symbol}: it has ${this.symbols.join()}`)
    }
  }

  #read(message: CapturedMessage): void {
    const sorted = this.#protocol.sort?.(message.text)
    const { symbols } = this.#options
    if (!sorted) {
      if (message.text.startsWith('{"lastUpdateId"')) this.#rest.set('', message.text)
    } else if (sorted.kind === 'confirmation') {
      this.#confirmations.set(sorted.key, message.text)
    } else if (symbols.length === 0 || symbols.includes(sorted.symbol)) {
      this.#entries.push({ ...message, ...sorted })
      this.#keys.add(sorted.key)
    }
  }

  /** The REST snapshots beside a capture say their market only by their order: it is that of the first depth events. */
  #readRest(messages: readonly CapturedMessage[]): void {
    for (const { text } of messages) {
      const id = Number(/"lastUpdateId":(\d+)/.exec(text)?.[1])
      const covers = (entry: Entry) => {
        const [, first, last] = /"U":(\d+),"u":(\d+)/.exec(entry.text) ?? []
        return entry.kind === 'book' && Number(first) <= id + 1 && Number(last) >= id
      }
      const symbol = this.#entries.find(covers)?.symbol
      if (symbol) this.#rest.set(symbol, text)
    }
  }

  /** Streams that were not captured beside a captured book are there, and silent. */
  has({ key, channel, symbol }: Subscription): boolean {
    return this.#keys.has(key) || (channel !== 'book' && this.symbols.includes(symbol))
  }

  market(): undefined {
    return undefined
  }

  confirmation(key: string): string | undefined {
    return this.#confirmations.get(key)
  }

  /**
   * The captured snapshot; asked again, the book where the stream stands, in the same form. An old one is the captured
   * one with a number from before the capture.
   */
  restBook(symbol: string, depth: number, isOld: boolean): CapturedBook | string | undefined {
    const recorded = this.#rest.get(symbol) ?? (this.symbols.length === 1 ? this.#rest.get('') : undefined)
    if (!recorded || !this.symbols.includes(symbol)) return undefined
    if (isOld) return recorded.replace(/"lastUpdateId":\d+/, '"lastUpdateId":1')
    if (!this.#asked.has(symbol)) {
      this.#asked.add(symbol)
      return recorded
    }
    const played = this.#entries.slice(0, this.#positions.get(symbol) ?? 0)
    return rebuild(
      recorded,
      played.filter((entry) => entry.kind === 'book' && entry.symbol === symbol).map((entry) => entry.text),
      depth,
    )
  }

  start(client: Client, { key, channel, symbol }: Subscription): void {
    if (channel === 'book') {
      this.#positions.set(symbol, 0)
      this.#asked.delete(symbol)
    }
    const settling = [...this.#playbacks].find((p) => p.client === client && p.startedMs === 0)
    const playback = settling ?? { client, keys: new Set(), timer: undefined, next: 0, startedMs: 0 }
    playback.keys.add(key)
    this.#playbacks.add(playback)
    clearTimeout(playback.timer)
    playback.timer = setTimeout(() => this.#begin(playback), SETTLE_MS)
  }

  #begin(playback: Playback): void {
    playback.startedMs = performance.now()
    this.#play(playback)
  }

  #play(playback: Playback): void {
    const { speed } = this.#options
    const { client, keys } = playback
    const originMs = this.#entries[0]?.atMs ?? 0
    for (;;) {
      const entry = this.#entries[playback.next]
      if (!entry || client.isGone || keys.size === 0) {
        this.#end(playback)
        return
      }
      const waitMs = playback.startedMs + (entry.atMs - originMs) / speed - performance.now()
      if (waitMs > 0 || client.backlog > BACKLOG_MOST) {
        playback.timer = setTimeout(() => this.#play(playback), Math.max(1, waitMs))
        return
      }
      playback.next++
      if (!keys.has(entry.key)) continue
      const { kind, symbol } = entry
      if (kind === 'book') this.#positions.set(symbol, playback.next)
      const isMarketData = kind === 'book' || kind === 'trade' || kind === 'snapshot'
      client.send(entry.text, { kind: isMarketData ? kind : 'other', symbol })
    }
  }

  #end(playback: Playback): void {
    clearTimeout(playback.timer)
    this.#playbacks.delete(playback)
    this.#hasPlayed = true
    if (this.#playbacks.size > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  stop(client: Client, key: string): void {
    for (const playback of this.#playbacks) if (playback.client === client) playback.keys.delete(key)
  }

  forget(client: Client): void {
    for (const playback of this.#playbacks) if (playback.client === client) this.#end(playback)
  }

  finished(): Promise<void> {
    if (this.#hasPlayed && this.#playbacks.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  close(): void {
    for (const playback of this.#playbacks) this.#end(playback)
  }
}
