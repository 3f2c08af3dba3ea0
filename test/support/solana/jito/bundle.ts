import { createHash } from 'node:crypto'
import { SYSTEM_PROGRAM, TIP_ACCOUNTS } from '../addresses.js'
import { parseTransaction, WIRE_MOST, type WireTransaction } from '../chain/transaction.js'
import { invalidParams, RpcError } from '../json-rpc.js'
import { decodeBytes } from '../rpc/wire.js'
import { isSigned } from './signatures.js'

export const TRANSACTIONS_MOST = 5
export const TIP_LEAST = 1000n

export interface Bundle {
  readonly id: string
  readonly transactions: readonly WireTransaction[]
  /** Lamports that its own instructions give to tip accounts; what programs give them in turn is not known before. */
  readonly tipLamports: bigint
}

/** The engine refuses with HTTP 400 what can't be a bundle. */
const refused = (message: string) => new RpcError(-32602, message, { status: 400 })

const SYSTEM_TRANSFER = 2
const tips: ReadonlySet<string> = new Set(TIP_ACCOUNTS)

/** What names a bundle: hex SHA-256 of the first signatures, joined by commas. */
export const bundleId = (transactions: readonly WireTransaction[]): string =>
  createHash('sha256')
    .update(transactions.map(({ signature }) => signature).join())
    .digest('hex')

function tipOf({ instructions, accounts }: WireTransaction): bigint {
  let sum = 0n
  for (const { program, accounts: used, data } of instructions) {
    if (program !== SYSTEM_PROGRAM || data.length !== 12) continue
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const isTip = tips.has(accounts[used[1] ?? -1] ?? '')
    if (isTip && view.getUint32(0, true) === SYSTEM_TRANSFER) sum += view.getBigUint64(4, true)
  }
  return sum
}

function decode(value: unknown, encoding: unknown, index: number): WireTransaction {
  let transaction: WireTransaction
  try {
    const wire = decodeBytes(String(value), encoding)
    if (wire.length > WIRE_MOST) throw new RangeError('too long')
    transaction = parseTransaction(wire)
  } catch {
    throw refused(`transaction #${index} could not be decoded`)
  }
  if (!isSigned(transaction)) throw refused(`transaction ${transaction.signature} is invalid`)
  return transaction
}

/** The bundle of a call's transactions, or the engine's refusal; a tip account in a lookup table doesn't count. */
export function decodeBundle(values: unknown, encoding: unknown): Bundle {
  if (!Array.isArray(values)) throw invalidParams('Invalid params: expected a sequence of transactions.')
  if (values.length === 0) throw refused('bundle contains no transactions')
  if (values.length > TRANSACTIONS_MOST) throw refused('Bundle exceeded maximum number of transactions')
  const transactions = values.map((value, index) => decode(value, encoding, index))
  if (new Set(transactions.map(({ messageHash }) => messageHash)).size < transactions.length)
    throw refused('bundle contains duplicate transactions')
  if (!transactions.some(({ writable }) => writable.some((name) => tips.has(name))))
    throw refused('Bundles must write lock at least one tip account')
  const tipLamports = transactions.reduce((sum, transaction) => sum + tipOf(transaction), 0n)
  if (tipLamports > 0n && tipLamports < TIP_LEAST)
    throw refused(`bundle tip of ${tipLamports} lamports is below the minimum of ${TIP_LEAST}`)
  return { id: bundleId(transactions), transactions, tipLamports }
}
