import type { Address } from '@solana/kit'
import type { Block } from '../chain/blocks.js'
import { invalidParams } from '../json-rpc.js'
import { asOf } from './context.js'
import { accountJson } from './methods/accounts.js'
import { address, commitment, config, signature } from './params.js'
import type { Commitment, View } from './view.js'

/** Something to be told; `isLast` ends the subscription. */
export interface Notice {
  readonly method: string
  readonly result: unknown
  readonly isLast?: boolean
}

/** What a client wants to hear: asked again after each block that the node sees. */
export interface Subscription {
  /** `seen`: the blocks that are new to the node. */
  news(view: View, seen: readonly Block[]): readonly Notice[]
}

class SlotSubscription implements Subscription {
  news(view: View, seen: readonly Block[]): readonly Notice[] {
    const root = view.block('finalized').slot
    return seen.map(({ slot, parent }) => ({ method: 'slotNotification', result: { parent, root, slot } }))
  }
}

class SignatureSubscription implements Subscription {
  readonly #signature: string
  readonly #commitment: Commitment

  constructor(name: string, level: Commitment) {
    this.#signature = name
    this.#commitment = level
  }

  news(view: View): readonly Notice[] {
    const landed = view.landed(this.#signature, this.#commitment)
    if (!landed) return []
    const result = asOf(view.block(this.#commitment).slot, { err: landed.err })
    return [{ method: 'signatureNotification', result, isLast: true }]
  }
}

/** What is told block by block, as blocks reach a commitment. */
abstract class BlockSubscription implements Subscription {
  #slot: number
  readonly #commitment: Commitment

  constructor(view: View, level: Commitment) {
    this.#commitment = level
    this.#slot = view.block(level).slot
  }

  news(view: View): readonly Notice[] {
    const { slot } = view.block(this.#commitment)
    const blocks = view.chain.blocks.between(this.#slot, slot)
    this.#slot = Math.max(this.#slot, slot)
    return blocks.flatMap((block) => this.of(block, view))
  }

  protected abstract of(block: Block, view: View): readonly Notice[]
}

class LogsSubscription extends BlockSubscription {
  readonly #mentions: Address | undefined

  constructor(view: View, level: Commitment, mentions: Address | undefined) {
    super(view, level)
    this.#mentions = mentions
  }

  protected of({ slot, landed }: Block): readonly Notice[] {
    const mentions = this.#mentions
    const isMentioned = (accounts: readonly Address[]) => mentions === undefined || accounts.includes(mentions)
    return landed
      .filter(({ details }) => details !== undefined && isMentioned(details.transaction.accounts))
      .map(({ signature: name, err, details }) => ({
        method: 'logsNotification',
        result: asOf(slot, { signature: name, err, logs: details?.logs }),
      }))
  }
}

class AccountSubscription extends BlockSubscription {
  readonly #address: Address
  readonly #encoding: unknown

  constructor(view: View, level: Commitment, name: Address, encoding: unknown) {
    super(view, level)
    this.#address = name
    this.#encoding = encoding
  }

  protected of({ slot, landed }: Block, view: View): readonly Notice[] {
    const name = this.#address
    if (!landed.some(({ details }) => details?.balances.has(name))) return []
    const account = view.chain.accounts.at(name, slot)
    return [{ method: 'accountNotification', result: asOf(slot, accountJson(account, { encoding: this.#encoding })) }]
  }
}

function mentioned(filter: unknown): Address | undefined {
  if (filter === 'all' || filter === 'allWithVotes') return undefined
  const { mentions } = (filter ?? {}) as { mentions?: unknown }
  if (!Array.isArray(mentions) || mentions.length !== 1)
    throw invalidParams('Invalid Request: Only 1 address supported')
  return address(mentions[0])
}

/** The subscription that a client asks for; undefined where there is no such method. */
export function subscription(method: string, params: readonly unknown[], view: View): Subscription | undefined {
  const options = config(params, 1)
  switch (method) {
    case 'slotSubscribe':
      return new SlotSubscription()
    case 'signatureSubscribe':
      return new SignatureSubscription(signature(params[0]), commitment(options))
    case 'logsSubscribe':
      return new LogsSubscription(view, commitment(options), mentioned(params[0]))
    case 'accountSubscribe':
      return new AccountSubscription(view, commitment(options), address(params[0]), options['encoding'])
    default:
      return undefined
  }
}
