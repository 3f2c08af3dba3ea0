import { createHash } from 'node:crypto'
import {
  type Address,
  getBase58Decoder,
  getCompiledTransactionMessageDecoder,
  getTransactionDecoder,
  getTransactionEncoder,
  type Transaction,
} from '@solana/kit'

export interface WireInstruction {
  readonly program: Address
  /** Numbers of accounts: those of the message, then those of its lookup tables. */
  readonly accounts: readonly number[]
  readonly data: Uint8Array
}

export interface TableLookup {
  readonly table: Address
  readonly writable: readonly number[]
  readonly readonly: readonly number[]
}

/** A transaction as it came over the wire, taken apart; nothing of it is verified. */
export interface WireTransaction {
  readonly wire: Uint8Array
  readonly transaction: Transaction
  readonly version: 'legacy' | 0
  /** Base58: the first signature, which names it. */
  readonly signature: string
  /** What the ledger knows duplicates by: two signatures over one message are one transaction. */
  readonly messageHash: string
  readonly signatures: number
  readonly feePayer: Address
  readonly blockhash: string
  /** The accounts of the message itself, in its order. */
  readonly accounts: readonly Address[]
  readonly writable: readonly Address[]
  readonly lookups: readonly TableLookup[]
  readonly instructions: readonly WireInstruction[]
}

/** The most bytes of a transaction: one IPv6 packet of 1,280 less its headers. */
export const WIRE_MOST = 1232

const base58 = getBase58Decoder()
const transactions = getTransactionDecoder()
const encoder = getTransactionEncoder()
const messages = getCompiledTransactionMessageDecoder()

/** A message that can't be one: wrong bytes, another version, numbers that point nowhere. */
export class Malformed extends Error {}

/** Decodes a message and sorts its accounts; throws {@link Malformed}. */
export function parseMessage(bytes: Uint8Array): Omit<WireTransaction, 'wire' | 'transaction' | 'signature'> {
  const message = decoded(() => messages.decode(bytes))
  if (message.version !== 'legacy' && message.version !== 0) throw new Malformed('unsupported version')
  const { header, staticAccounts: accounts } = message
  const { numSignerAccounts, numReadonlySignerAccounts, numReadonlyNonSignerAccounts } = header
  const isWritable = (i: number) =>
    i < numSignerAccounts
      ? i < numSignerAccounts - numReadonlySignerAccounts
      : i < accounts.length - numReadonlyNonSignerAccounts
  const lookups = (('addressTableLookups' in message && message.addressTableLookups) || []).map((lookup) => ({
    table: lookup.lookupTableAddress,
    writable: [...lookup.writableIndexes],
    readonly: [...lookup.readonlyIndexes],
  }))
  const reached = accounts.length + lookups.reduce((n, l) => n + l.writable.length + l.readonly.length, 0)
  const [feePayer] = accounts
  if (feePayer === undefined || numSignerAccounts < 1 || numSignerAccounts > accounts.length)
    throw new Malformed('no fee payer')
  return {
    version: message.version,
    messageHash: createHash('sha256').update(bytes).digest('base64'),
    signatures: numSignerAccounts,
    feePayer,
    blockhash: message.lifetimeToken,
    accounts,
    writable: accounts.filter((_, i) => isWritable(i)),
    lookups,
    instructions: message.instructions.map(({ programAddressIndex, accountIndices = [], data = new Uint8Array() }) => {
      const program = accounts[programAddressIndex]
      if (program === undefined || accountIndices.some((i) => i >= reached))
        throw new Malformed('an instruction points past the accounts')
      return { program, accounts: accountIndices, data: new Uint8Array(data) }
    }),
  }
}

function decoded<T>(decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    throw new Malformed('failed to fill whole buffer', { cause })
  }
}

/** Takes a transaction's bytes apart; throws {@link Malformed}. */
export function parseTransaction(wire: Uint8Array): WireTransaction {
  const transaction = decoded(() => transactions.decode(wire))
  if (encoder.encode(transaction).length !== wire.length) throw new Malformed('bytes behind the transaction')
  const [first] = Object.values(transaction.signatures)
  const signature = base58.decode(first ?? new Uint8Array(64))
  return { ...parseMessage(new Uint8Array(transaction.messageBytes)), wire, transaction, signature }
}
