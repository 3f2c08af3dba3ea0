import type { Tips } from './jito/tip-floor.js'

export interface ClusterOptions {
  /** Milliseconds of a slot; 0 stands still and waits for `tick`. Default 400, as it is out there. */
  readonly slotMillis?: number
  /** The same seed makes the same blockhashes, and the same luck with faults. Default 1. */
  readonly seed?: number
  /** RPC nodes over the one chain. Default 1. */
  readonly nodes?: number
  /** Names of the regions of the block engine. Default `['ny']`. */
  readonly regions?: readonly string[]
  /** The port of the first node; the other nodes, then the regions, have those behind it. 0 takes free ones. Default 0. */
  readonly port?: number
  /** Slots until a block is confirmed. Default 1. */
  readonly confirmedSlots?: number
  /** Slots until a block is finalized. Default 31. */
  readonly finalizedSlots?: number
  /** Slots behind from which on a node says that it is unhealthy. Default 128. */
  readonly unhealthySlots?: number
  /** Requests a second that a node answers. Default: no limit. */
  readonly rpcPerSecond?: number
  /** Requests a second that a region answers. Default 1, as it is out there. */
  readonly jitoPerSecond?: number
  /** Micro-lamports a unit that blocks are told to have cost at least. Default 0. */
  readonly priorityFloor?: number
  /** Requests a second by UUID of `x-jito-auth`; another UUID is refused. Default: none. */
  readonly jitoAuth?: Readonly<Record<string, number>>
  /** Lamports: the percentiles 25, 50, 75, 95, 99 that the tip floor tells. Default: those of what landed. */
  readonly tips?: Tips
}

export type Settled = Required<Omit<ClusterOptions, 'tips'>> & Pick<ClusterOptions, 'tips'>

export const withDefaults = (o: ClusterOptions): Settled => ({
  slotMillis: o.slotMillis ?? 400,
  seed: o.seed ?? 1,
  nodes: o.nodes ?? 1,
  regions: o.regions ?? ['ny'],
  port: o.port ?? 0,
  confirmedSlots: o.confirmedSlots ?? 1,
  finalizedSlots: o.finalizedSlots ?? 31,
  unhealthySlots: o.unhealthySlots ?? 128,
  rpcPerSecond: o.rpcPerSecond ?? Infinity,
  jitoPerSecond: o.jitoPerSecond ?? 1,
  priorityFloor: o.priorityFloor ?? 0,
  jitoAuth: o.jitoAuth ?? {},
  ...(o.tips ? { tips: o.tips } : {}),
})
