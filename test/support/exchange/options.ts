import { type CaptureFiles, captureFile } from './captures.js'
import type { MarketSpec } from './market.js'
import type { Protocol } from './protocol.js'
import { protocols, type VenueName } from './venues/index.js'

export interface ExchangeOptions {
  readonly venue: VenueName
  /** `capture` plays what was recorded from the venue; `synthetic` makes markets up and knows their truth. */
  readonly market: 'capture' | 'synthetic'
  /**
   * The markets by name. Of a capture, those to play (default: all). Made up, by name where the venue has a default of
   * that name, else with their decimals; default: the venue's own two.
   */
  readonly symbols?: readonly (string | MarketSpec)[]
  /** 0 takes a free one, which is the default. */
  readonly port?: number
  /** wss and https by an authority of its own. */
  readonly tls?: boolean

  /** Made up: the same seed makes the same markets. Default 1. */
  readonly seed?: number
  /** Made up: book and trade messages a second over all markets. Default 200; 0 waits for `step`. */
  readonly rate?: number
  /** Made up: `spin` sends each message when it is due and takes a core for it. Default `timer`. */
  readonly pacing?: 'timer' | 'spin'
  /** Made up: levels a side at most. Default 40. */
  readonly levels?: number
  /** Made up: the share of events that begin with a trade, 0 … 1. Default 0.2. */
  readonly trades?: number
  /** Made up: events of a market that `truthAt` can go back. Default 50,000. */
  readonly keepEvents?: number
  /** Made up, OKX and Bitget: false leaves the checksums 0, as both do at times. Default true. */
  readonly checksums?: boolean
  /** Keeps the send stamps of this many book events a market. Default 0. */
  readonly stamps?: number

  /** Captured: times the recorded speed, or as fast as the client reads. Default 1. */
  readonly speed?: number | 'max'
  /** Captured: other files than the venue's own. */
  readonly capture?: CaptureFiles

  /** Unread bytes at which a client is cut off, as exchanges do. Default 32 MiB. */
  readonly slowBytes?: number
  /** How long REST takes. Default 0. */
  readonly restDelayMs?: number
  /** Quiet time before a heartbeat, for venues that have them. Default 1,000. */
  readonly heartbeatMs?: number
  /** WebSocket pings. Default: the venue's. */
  readonly pingEveryMs?: number
  /** Clients that say nothing for this long, pongs included, are closed. Default: the venue's. */
  readonly idleTimeoutMs?: number
}

export interface Settled extends Required<Omit<ExchangeOptions, 'symbols' | 'speed' | 'capture'>> {
  readonly protocol: Protocol
  readonly symbols: readonly string[]
  readonly markets: readonly MarketSpec[]
  readonly speed: number
  readonly files: CaptureFiles
}

function spec(market: string | MarketSpec, protocol: Protocol, venue: VenueName): MarketSpec {
  if (typeof market !== 'string') return market
  const known = protocol.markets.find(({ symbol }) => symbol === market)
  if (known) return known
  const names = protocol.markets.map(({ symbol }) => symbol).join()
  throw new Error(
    `${venue} has no default for a market ${market} (it has ${names}): say its decimals and where it begins`,
  )
}

export function withDefaults(o: ExchangeOptions): Settled {
  const protocol: Protocol | undefined = protocols[o.venue]
  if (!protocol) throw new Error(`no venue ${o.venue}: there are ${Object.keys(protocols).join()}`)
  const files = o.capture ?? protocol.capture ?? { stream: '' }
  if (o.market === 'capture' && files.stream === '') throw new Error(`there is no capture of ${o.venue}`)
  const { symbols = [] } = o
  return {
    venue: o.venue,
    market: o.market,
    protocol,
    symbols: symbols.map((market) => (typeof market === 'string' ? market : market.symbol)),
    markets:
      symbols.length > 0 && o.market === 'synthetic'
        ? symbols.map((market) => spec(market, protocol, o.venue))
        : protocol.markets,
    port: o.port ?? 0,
    tls: o.tls ?? false,
    seed: o.seed ?? 1,
    rate: o.rate ?? 200,
    pacing: o.pacing ?? 'timer',
    levels: o.levels ?? 40,
    trades: o.trades ?? 0.2,
    keepEvents: o.keepEvents ?? 50_000,
    checksums: o.checksums ?? true,
    stamps: o.stamps ?? 0,
    speed: o.speed === 'max' ? Infinity : (o.speed ?? 1),
    files,
    slowBytes: o.slowBytes ?? 2 ** 25,
    restDelayMs: o.restDelayMs ?? 0,
    heartbeatMs: o.heartbeatMs ?? 1000,
    pingEveryMs: o.pingEveryMs ?? protocol.pingEveryMs ?? Infinity,
    idleTimeoutMs: o.idleTimeoutMs ?? protocol.idleTimeoutMs ?? Infinity,
  }
}

/** Whether the capture of a venue is on this machine. */
export function hasCapture(venue: VenueName): boolean {
  const stream = protocols[venue].capture?.stream
  return stream !== undefined && captureFile(stream) !== undefined
}
