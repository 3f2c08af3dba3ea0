import { type Address, getAddressDecoder } from '@solana/kit'
import type { Accounts } from './accounts.js'
import type { WireTransaction } from './transaction.js'

/** Bytes of a lookup table before its addresses. */
const TABLE_HEADER = 56

const addresses = getAddressDecoder()

/** The accounts that a transaction may write, those of its lookup tables behind its own. */
export function writableAccounts({ writable, lookups }: WireTransaction, accounts: Accounts): readonly Address[] {
  const reached = lookups.flatMap(({ table, writable: indexes }) => {
    const account = accounts.svm.getAccount(table)
    if (!account.exists) return []
    return indexes
      .map((index) => TABLE_HEADER + 32 * index)
      .filter((offset) => offset + 32 <= account.data.length)
      .map((offset) => addresses.decode(account.data, offset))
  })
  return [...writable, ...reached]
}
