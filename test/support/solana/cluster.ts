import { address } from '@solana/kit'
import { Chain, type SavedChain } from './chain/chain.js'
import { Faucet } from './faucet.js'
import { Faults } from './faults.js'
import { BlockEngine } from './jito/engine.js'
import { Region } from './jito/region.js'
import { TipFloor } from './jito/tip-floor.js'
import { Ledger } from './ledger.js'
import { type ClusterOptions, type Settled, withDefaults } from './options.js'
import { Requests } from './requests.js'
import { RpcNode } from './rpc/node.js'
import { View } from './rpc/view.js'

/** Enough for every airdrop of a test. */
const FAUCET_LAMPORTS = 10n ** 18n

/** A local Solana: one chain, RPC nodes and a block engine over it, all on loopback. */
export class Cluster {
  readonly faults: Faults
  readonly requests: Requests = new Requests()
  readonly ledger: Ledger
  readonly nodes: readonly RpcNode[]
  readonly regions: readonly Region[]
  readonly #engine: BlockEngine
  readonly #chain: Chain
  #timer: NodeJS.Timeout | undefined
  #saved: SavedChain | undefined

  private constructor(o: Settled, faucet: Faucet) {
    this.faults = new Faults(o.seed)
    this.#chain = new Chain(o.seed, { isLost: () => this.faults.takesAway('dropTransaction') })
    const tips = new TipFloor(o.tips)
    this.#engine = new BlockEngine(this.#chain, new View(this.#chain, o), tips)
    this.ledger = new Ledger(this.#chain, this.#engine)
    this.#chain.fund(faucet.address, FAUCET_LAMPORTS)
    this.nodes = Array.from({ length: o.nodes }, (_, i) => this.#node(i, o, faucet))
    this.regions = o.regions.map((name, i) => this.#region(name, i, o, tips))
    this.run(o.slotMillis)
  }

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(withDefaults(options), await Faucet.create())
    for (const host of [...cluster.nodes, ...cluster.regions]) await host.listen()
    return cluster
  }

  #node(index: number, o: Settled, faucet: Faucet): RpcNode {
    const port = o.port === 0 ? 0 : o.port + index
    return new RpcNode(
      { name: `node-${index}`, port, requestsPerSecond: o.rpcPerSecond },
      {
        view: new View(this.#chain, o),
        unhealthySlots: o.unhealthySlots,
        priorityFloor: o.priorityFloor,
        submit: (transaction, retries) => this.#chain.submit(transaction, retries),
        airdrop: (to, lamports, blockhash) => faucet.transfer(to, lamports, blockhash),
      },
      this.faults,
      this.requests,
    )
  }

  #region(name: string, index: number, o: Settled, tips: TipFloor): Region {
    const port = o.port === 0 ? 0 : o.port + o.nodes + index
    const options = { name, port, requestsPerSecond: o.jitoPerSecond, auth: o.jitoAuth }
    return new Region(options, this.#engine, new View(this.#chain, o), tips, this.faults, this.requests)
  }

  /** The first node's. */
  get url(): string {
    return this.node().url
  }

  /** The first node's. */
  get wsUrl(): string {
    return this.node().wsUrl
  }

  get slot(): number {
    return this.#chain.slot
  }

  get height(): number {
    return this.#chain.height
  }

  /** Transactions that were accepted and are in no block yet. */
  get pending(): number {
    return this.#chain.pending.length
  }

  node(index = 0): RpcNode {
    const node = this.nodes[index]
    if (!node) throw new Error(`there is no node ${index}: the cluster has ${this.nodes.length}`)
    return node
  }

  /** A region by name; the first, where none is said. */
  region(name?: string): Region {
    const region = name === undefined ? this.regions[0] : this.regions.find((other) => other.name === name)
    if (region) return region
    throw new Error(`there is no region ${name}: the cluster has ${this.regions.map((other) => other.name).join()}`)
  }

  /** Goes on by itself with a slot every `slotMillis`; 0 stands still. */
  run(slotMillis: number): void {
    clearInterval(this.#timer)
    this.#timer = slotMillis > 0 ? setInterval(() => this.tick(), slotMillis) : undefined
  }

  /** The next `slots`, with what was submitted. */
  tick(slots = 1): void {
    this.#chain.tick(slots)
  }

  /** `blocks` empty blocks at once: what was submitted waits, and its blockhash grows old. */
  jump(blocks: number): void {
    this.#chain.jump(blocks)
  }

  /** Slots without a block: the slot goes on, the height doesn't. */
  skip(slots: number): void {
    this.#chain.skip(slots)
  }

  /** Puts lamports where there were none, at once. */
  fund(to: string, lamports: bigint | number): void {
    this.#chain.fund(address(to), BigInt(lamports))
  }

  /** The chain as it is now, for `restore`. */
  save(): SavedChain {
    this.#saved = this.#chain.save()
    return this.#saved
  }

  /** The chain is as it was when it was saved, last where nothing is said: what landed since is gone, as after a fork. */
  restore(saved: SavedChain | undefined = this.#saved): void {
    if (!saved) throw new Error('there is nothing to restore: save() comes first')
    this.#chain.restore(saved)
    this.#engine.forget()
  }

  async close(): Promise<void> {
    this.run(0)
    await Promise.all([...this.nodes, ...this.regions].map((host) => host.crash()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Starts a local Solana on loopback; see {@link ClusterOptions}. */
export const startCluster = (options?: ClusterOptions): Promise<Cluster> => Cluster.start(options)
