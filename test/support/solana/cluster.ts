import { address } from '@solana/kit'
import { Chain, type SavedChain } from './chain/chain.js'
import { Faucet } from './faucet.js'
import { Faults } from './faults.js'
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
  readonly #chain: Chain
  #timer: NodeJS.Timeout | undefined

  private constructor(o: Settled, faucet: Faucet) {
    this.faults = new Faults(o.seed)
    this.#chain = new Chain(o.seed, { isLost: () => this.faults.takesAway('dropTransaction') })
    this.ledger = new Ledger(this.#chain)
    this.#chain.fund(faucet.address, FAUCET_LAMPORTS)
    this.nodes = Array.from({ length: o.nodes }, (_, i) => this.#node(i, o, faucet))
    this.run(o.slotMillis)
  }

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(withDefaults(options), await Faucet.create())
    for (const node of cluster.nodes) await node.listen()
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
  fund(to: string, lamports: bigint): void {
    this.#chain.fund(address(to), lamports)
  }

  /** The chain as it is now, for `restore`. */
  save(): SavedChain {
    return this.#chain.save()
  }

  /** The chain is as it was: what landed since is gone, as after a fork. */
  restore(saved: SavedChain): void {
    this.#chain.restore(saved)
  }

  async close(): Promise<void> {
    this.run(0)
    await Promise.all(this.nodes.map((node) => node.crash()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Starts a local Solana on loopback; see {@link ClusterOptions}. */
export const startCluster = (options?: ClusterOptions): Promise<Cluster> => Cluster.start(options)
