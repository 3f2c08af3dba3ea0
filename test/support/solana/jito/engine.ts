import type { Chain } from '../chain/chain.js'
import { type OpenBlock, Refused } from '../chain/open-block.js'
import type { WireTransaction } from '../chain/transaction.js'
import { RpcError } from '../json-rpc.js'
import type { View } from '../rpc/view.js'
import { type Bundle, TIP_LEAST } from './bundle.js'
import type { TipFloor } from './tip-floor.js'

/** How far back a bundle in flight is known. */
const LOOK_BACK_MILLIS = 300_000

const refused = (message: string) => new RpcError(-32602, message, { status: 400 })

export interface InflightStatus {
  readonly bundle_id: string
  readonly status: 'Invalid' | 'Pending' | 'Failed' | 'Landed'
  readonly landed_slot: number | null
}

export interface BundleStatus {
  readonly bundle_id: string
  readonly transactions: readonly string[]
  readonly slot: number
  readonly confirmation_status: string
  readonly err: { readonly Ok: null }
}

/** A bundle's course, for tests. */
export interface BundleEntry {
  readonly id: string
  readonly signatures: readonly string[]
  readonly tipLamports: bigint
  /** When it was first accepted, in epoch milliseconds. */
  readonly atMillis: number
  readonly state: 'pending' | 'failed' | 'landed' | 'dropped'
  /** Why it failed: the number of the transaction, and its error. */
  readonly failure?: { readonly index: number; readonly err: unknown }
}

/** The block engine behind all regions: it takes bundles, and puts those that go well into the next block, best tip first. */
export class BlockEngine {
  /** Every bundle that was accepted, by id. */
  readonly history: Map<string, BundleEntry> = new Map()
  readonly #pending: Map<string, Bundle> = new Map()
  readonly #chain: Chain
  readonly #view: View
  readonly #tips: TipFloor

  constructor(chain: Chain, view: View, tips: TipFloor) {
    this.#chain = chain
    this.#view = view
    this.#tips = tips
    chain.addMaker((block) => this.#fill(block))
  }

  /** Accepts a bundle, or throws the engine's refusal; the same bundle in flight is one, whatever region it came by. */
  submit(bundle: Bundle, isDropped: () => boolean): string {
    for (const transaction of bundle.transactions) this.#check(transaction)
    if (this.#pending.has(bundle.id)) return bundle.id
    if (isDropped()) {
      this.#note(bundle, 'dropped')
    } else {
      this.#pending.set(bundle.id, bundle)
      this.#note(bundle, 'pending')
    }
    return bundle.id
  }

  /** A transaction outside of a bundle, straight to the leaders. */
  forward(transaction: WireTransaction): void {
    this.#chain.submit(transaction, 0)
  }

  status(id: string): BundleStatus | null {
    const landed = this.#landed(id)
    if (!landed) return null
    const transactions = this.history.get(id)?.signatures ?? []
    const confirmation_status = this.#view.commitmentOf(landed.slot)
    return { bundle_id: id, transactions, slot: landed.slot, confirmation_status, err: { Ok: null } }
  }

  inflight(id: string): InflightStatus {
    if (this.#pending.has(id)) return { bundle_id: id, status: 'Pending', landed_slot: null }
    const entry = this.history.get(id)
    const isKnown = entry && entry.state !== 'dropped' && Date.now() - entry.atMillis < LOOK_BACK_MILLIS
    if (!isKnown) return { bundle_id: id, status: 'Invalid', landed_slot: null }
    const landed = this.#landed(id)
    return { bundle_id: id, status: landed ? 'Landed' : 'Failed', landed_slot: landed?.slot ?? null }
  }

  /** Bundles in flight are forgotten, as those of a chain that went back. */
  forget(): void {
    for (const bundle of this.#pending.values()) this.#note(bundle, 'dropped')
    this.#pending.clear()
  }

  /** Where the chain has it: a fork may have lost it again. */
  #landed(id: string) {
    const landed = this.#chain.landed.get(this.history.get(id)?.signatures[0] ?? '')
    return landed?.bundleId === id ? landed : undefined
  }

  #check(transaction: WireTransaction): void {
    const err = this.#chain.check(transaction, this.#chain.height + 1)
    if (err === 'AlreadyProcessed') throw refused('bundle contains an already processed transaction')
    const isOld = this.#chain.blocks.byHash(transaction.blockhash) !== undefined
    if (err !== undefined) throw refused(`bundle contains an ${isOld ? 'expired' : 'invalid'} blockhash`)
  }

  #fill(block: OpenBlock): void {
    const bundles = [...this.#pending.values()].sort((a, b) => Number(b.tipLamports - a.tipLamports))
    this.#pending.clear()
    for (const bundle of bundles) {
      const result = block.includeAll(bundle.transactions, bundle.id, TIP_LEAST)
      if (result instanceof Refused) {
        this.#note(bundle, 'failed', { index: result.index, err: result.err })
      } else {
        this.#note(bundle, 'landed')
        this.#tips.add(result.reduce((sum, { tipLamports }) => sum + tipLamports, 0n))
      }
    }
  }

  #note(bundle: Bundle, state: BundleEntry['state'], failure?: BundleEntry['failure']): void {
    const { id, transactions, tipLamports } = bundle
    const signatures = transactions.map(({ signature }) => signature)
    const atMillis = this.history.get(id)?.atMillis ?? Date.now()
    this.history.set(id, { id, signatures, tipLamports, atMillis, state, ...(failure ? { failure } : {}) })
  }
}
