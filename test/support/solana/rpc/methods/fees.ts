import type { Address } from '@solana/kit'
import { computeBudget, fee } from '../../chain/fees.js'
import type { Landed } from '../../chain/landed.js'
import { parseMessage } from '../../chain/transaction.js'
import { invalidParams } from '../../json-rpc.js'
import { asOf, type Method } from '../context.js'
import { address, checkMinContextSlot, commitment, config, text } from '../params.js'
import { decodeBytes, deserialized } from '../wire.js'

const MESSAGE = 'solana_message::versions::VersionedMessage'
const BLOCKS_TOLD = 150
const ADDRESSES_MOST = 128

export const getFeeForMessage: Method = (params, { view }) => {
  const options = config(params, 1)
  const level = commitment(options)
  checkMinContextSlot(view, options, level)
  const bytes = decodeBytes(text(params, 0), 'base64', MESSAGE)
  const message = deserialized(MESSAGE, () => parseMessage(bytes))
  const { slot, height } = view.block(level)
  const isKnown = view.chain.blocks.isValidAt(message.blockhash, height + 1)
  return asOf(slot, isKnown ? fee(message) : null)
}

/** The least that a transaction paid which was in the block, and wrote one of `accounts`; 0 where there was none. */
function leastPrice(landed: readonly Landed[], accounts: readonly Address[]): number {
  const details = landed.flatMap((entry) => entry.details ?? [])
  const writers = details.filter(({ balances }) => accounts.length === 0 || accounts.some((name) => balances.has(name)))
  if (writers.length === 0) return 0
  return Math.min(...writers.map(({ transaction }) => Number(computeBudget(transaction).price)))
}

export const getRecentPrioritizationFees: Method = ([names = []], { view, priorityFloor }) => {
  if (!Array.isArray(names)) throw invalidParams('Invalid params: expected a sequence of addresses.')
  if (names.length > ADDRESSES_MOST) throw invalidParams(`Too many inputs provided; max ${ADDRESSES_MOST}`)
  const accounts = names.map(address)
  return view.chain.blocks.latest(view.head.slot, BLOCKS_TOLD).map(({ slot, landed }) => ({
    slot,
    prioritizationFee: Math.max(priorityFloor, leastPrice(landed, accounts)),
  }))
}
