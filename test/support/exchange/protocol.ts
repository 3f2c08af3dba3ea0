import type { CaptureFiles } from './captures.js'
import type { DecimalStyle } from './decimal.js'
import type { BookEvent, MarketSpec, Numbering, SyntheticMarket, TradeEvent, Truth } from './market.js'
import type { DepthView } from './view.js'

export type Channel = 'book' | 'trade' | 'ticker'

/** One stream that one client asked for. */
export interface Subscription {
  /** The same text for the same stream in a request and in a capture. */
  readonly key: string
  readonly channel: Channel
  readonly symbol: string
  /** The stream as the client named it, where messages carry that. */
  readonly name?: string
  /** Where the client sees the best levels only. */
  readonly view?: DepthView
}

/** One connection, as a protocol sees it. */
export interface Session {
  readonly subscriptions: ReadonlyMap<string, Subscription>
  /** Messages told so far, for venues that number them by connection. */
  sequence: number
  /** What the protocol has to remember of the connection. */
  readonly notes: Map<string, string>
  /** Sends at once what is no market data. */
  answer(text: string): void
  /** Begins a stream: its snapshot, where the venue sends one, then what happens. */
  subscribe(subscription: Subscription): void
  unsubscribe(key: string): void
}

/** The market behind a protocol, made up or captured. */
export interface Venue {
  /** Whether there is such a stream to subscribe to. */
  has(subscription: Subscription): boolean
  market(symbol: string): SyntheticMarket | undefined
  /** How the venue confirmed this stream when it was captured. */
  confirmation(key: string): string | undefined
  /** What a REST snapshot tells: a book, or the captured text. */
  restBook(symbol: string, depth: number): Truth | string | undefined
  /** Where clients connect, for venues that tell it by REST. */
  readonly url: string
}

export interface RestRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
}

export interface RestAnswer {
  readonly status: number
  readonly body: string
}

/** What a captured message is; `confirmation` is the answer to a subscription. */
export interface Sorted {
  readonly key: string
  readonly symbol: string
  readonly kind: Channel | 'snapshot' | 'confirmation'
}

/** One venue's way to say it: texts in, texts out; it keeps no book and sends nothing by itself. */
export interface Protocol {
  /** The path of its WebSocket. */
  readonly path: string
  readonly numbering: Numbering
  readonly style: DecimalStyle
  /** The markets that are made up where none are named. */
  readonly markets: readonly MarketSpec[]
  readonly capture?: CaptureFiles
  /** How long the venue bears a silent client. */
  readonly idleTimeoutMs?: number
  /** How often it pings by WebSocket frame. */
  readonly pingEveryMs?: number
  /** What it says when it has said nothing else for a second. */
  readonly heartbeat?: (session: Session) => string | undefined
  /** What it says before it closes a connection that is a day old. */
  readonly farewell?: string

  /** Refuses a connection by HTTP status. */
  admit?(url: URL): number | undefined
  connected?(session: Session, url: URL, venue: Venue): void
  received(session: Session, text: string, venue: Venue): void
  rest?(request: RestRequest, venue: Venue): RestAnswer | undefined

  snapshot?(subscription: Subscription, market: SyntheticMarket, session: Session): string
  book(subscription: Subscription, event: BookEvent, market: SyntheticMarket, session: Session): string | undefined
  trade(subscription: Subscription, trade: TradeEvent, market: SyntheticMarket, session: Session): string
  /** The best prices at the end of an event, for venues with such a stream. */
  ticker?(subscription: Subscription, event: BookEvent, market: SyntheticMarket): string

  /** Undefined for what the server says by itself: greetings, heartbeats, answers. */
  sort?(text: string): Sorted | undefined
}

export const json = (value: unknown): string => JSON.stringify(value)

/** The object in a request, or undefined where there is none. */
export function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

export const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

/** The levels of one side that `changes` are about. */
export function changed(
  market: SyntheticMarket,
  changes: readonly { side: 'bid' | 'ask'; price: number; qty: number }[],
  side: 'bid' | 'ask',
): (readonly [string, string])[] {
  return changes.filter((change) => change.side === side).map(({ price, qty }) => market.text(price, qty))
}
