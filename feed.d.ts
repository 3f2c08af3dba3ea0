/**
 * The public types of `velox-engine/feed`: exchange messages into books that are right or say that they aren't.
 * @module
 */
import type { Instrument, L2Book, MarketEvent, RingBuffer, Source, Trade } from './index.js'

/** A venue whose messages are decoded and whose books are kept in step by its own rules. */
export type Venue =
  | 'binance-spot'
  | 'binance-usdm'
  | 'binance-coinm'
  | 'kraken'
  | 'okx'
  | 'bybit'
  | 'coinbase'
  | 'kucoin'
  | 'bitget'

/** What holds a venue's books to the truth, how we know that we decode it right, and where it is unless told otherwise. */
export const venues: Readonly<
  Record<
    Venue,
    {
      /** What the decoder of the protocol that is subscribed to is held to: recorded messages, or the documentation alone. */
      readonly verifiedBy: 'capture' | 'documentation'
      /** `none`: unverifiable, a message that is lost is not noticed. */
      readonly checks: 'sequence' | 'checksum' | 'both' | 'none'
      readonly url: string
      readonly restUrl: string
    }
  >
>

/** The worst of what one message did, in this order; `gap` and `checksum` leave the book stale. */
export type Applied = 'applied' | 'buffered' | 'ignored' | 'gap' | 'checksum'

/** What a venue wants to hear from its clients. */
export interface Heartbeat {
  readonly message: string
  readonly everyMillis: number
}

/**
 * Decodes one connection of one venue and keeps its books in step, or says that it can't: deltas before a snapshot wait
 * for it, a gap or a wrong checksum makes the book stale and applies nothing of the bad event, a repeated event changes
 * nothing. It does no network of its own: messages in, books and trades out. One native call a message.
 *
 * @example
 * const feed = new Feed({ venue: 'binance-spot', symbols: ['BTCUSDT'] })
 * socket.on('message', (data) => {
 *   feed.apply(data)
 *   // Undefined while the book is live. Once at a time, in a real program.
 *   const request = feed.snapshotRequest('BTCUSDT')
 *   if (request) fetch(request.url).then(async (answer) => feed.snapshot('BTCUSDT', await answer.text()))
 * })
 */
export class Feed {
  /**
   * `symbols`: texts (prices and quantities then count in the venue's known decimals, 8 where they aren't known) or
   * Instruments. `trades`: where trades go; this feed is then the ring's producer. `restUrl`: another base for snapshots,
   * `http://` or `https://`; a slash at its end is left out.
   * Throws VELOX_INVALID_VALUE for a venue or symbols that it can't take, VELOX_RING_OWNED.
   */
  constructor(o: {
    venue: Venue
    symbols: readonly (string | Instrument)[]
    trades?: RingBuffer<typeof Trade>
    restUrl?: string
  })
  readonly venue: Venue
  /**
   * One message of the connection. `receiveTs` in epoch ns, now by default. Throws VELOX_BAD_MESSAGE for what is no message
   * of the venue: nothing was applied. Trades for a ring that is closed are dropped and counted. Costs one
   * native call and no object; a text is copied, bytes are read in place.
   */
  apply(message: string | Uint8Array, receiveTs?: bigint): Applied
  /** The answer to a {@link snapshotRequest}. Throws VELOX_UNKNOWN_SYMBOL, VELOX_BAD_MESSAGE. */
  snapshot(symbol: string, body: string | Uint8Array, receiveTs?: bigint): Applied
  /** The book of a symbol; the feed is its writer. Throws VELOX_UNKNOWN_SYMBOL. */
  book(symbol: string): L2Book
  /** `syncing` until the first snapshot. Throws VELOX_UNKNOWN_SYMBOL. */
  state(symbol: string): 'syncing' | 'live' | 'stale'
  /** What to fetch to get live, where the venue wants a REST snapshot and this symbol needs one now. */
  snapshotRequest(symbol: string): { url: string } | undefined
  staleSymbols(): string[]
  /** What to send on a new connection, in this order. */
  subscribeMessages(): string[]
  /** What to send for a new snapshot of one symbol, where the venue gives it on the connection; else nothing. */
  resubscribeMessages(symbol: string): string[]
  /** What to send and how often; undefined where the WebSocket's own pings are enough. */
  heartbeat(): Heartbeat | undefined
  /** The connection is gone: every book is stale until the next one's snapshots. */
  disconnected(): void
  /** Trades that the ring had no room for, or that came after it was closed. */
  readonly droppedTrades: number
}

/**
 * A live market as a pipeline's source. It connects when the run goes, on a native thread of its own: subscribes, fetches
 * snapshots where the venue wants them, beats, reconnects with backoff and jitter, and synchronises again. A book
 * behind it is the venue's or `stale`, and `stale` once the run has ended; `run.stats()` shows its connection and each book's state and age (`stages[0].live`). A pipeline
 * that falls behind never blocks the socket: what finds no room is counted, and its books go stale until they are
 * synchronised again. TLS trusts what the system trusts, or SSL_CERT_FILE
 * as it was when the package was first loaded.
 *
 * `symbols` as the venue spells them, each once in whatever case; `instruments` for those whose decimals the venue's table doesn't know (8 then).
 * `url`, `restUrl`: another server than the venue's own. `record`: a file that every message is appended to as it
 * came, which `replay` gives back as the same events. `signal` ends it as `run.stop()` does.
 *
 * A run fails with VELOX_STAGE_FAILED for what another connection would not mend: VELOX_TLS_UNTRUSTED, VELOX_LIVE_REFUSED
 * (an HTTP status), VELOX_BAD_MESSAGE (a symbol that the venue refuses), VELOX_FILE_UNWRITABLE.
 *
 * @example
 * const market = live({ venue: 'kraken', symbols: ['XBT/USD'] })
 * const book = new L2Book({ instrument: market.instrument() })
 * const run = await pipeline('live').from(market).book(book).to(discard()).start()
 */
export function live(o: {
  venue: Venue
  symbols: readonly string[]
  instruments?: readonly Instrument[]
  url?: string
  restUrl?: string
  record?: string | URL
  signal?: AbortSignal | undefined
}): Source<typeof MarketEvent>
