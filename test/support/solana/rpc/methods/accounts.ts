import { type EncodedAccount, getBase58Decoder, type ReadonlyUint8Array } from '@solana/kit'
import { invalidParams } from '../../json-rpc.js'
import { asOf, type Method } from '../context.js'
import { address, type Config, checkMinContextSlot, commitment, config } from '../params.js'

const ACCOUNTS_MOST = 100

const base58 = getBase58Decoder()

function data(bytes: Uint8Array, encoding: unknown): string | [string, string] {
  switch (encoding) {
    case undefined:
    case 'binary':
      return base58.decode(bytes)
    case 'base58':
      return [base58.decode(bytes), 'base58']
    case 'base64':
    case 'jsonParsed':
      return [Buffer.from(bytes).toString('base64'), 'base64']
    default:
      throw invalidParams(`unsupported encoding: ${String(encoding)}`)
  }
}

type Known =
  | { readonly exists: false }
  | (Omit<EncodedAccount, 'data'> & { readonly exists: true; readonly data: ReadonlyUint8Array })

/** An account as RPC nodes write it; what has no lamports isn't there. */
export function accountJson(account: Known, { encoding, dataSlice }: Config): unknown {
  if (!account.exists || account.lamports === 0n) return null
  const { offset = 0, length = account.data.length } = (dataSlice ?? {}) as { offset?: number; length?: number }
  return {
    data: data(new Uint8Array(account.data.slice(offset, offset + length)), encoding),
    executable: account.executable,
    lamports: account.lamports,
    owner: account.programAddress,
    rentEpoch: 18_446_744_073_709_551_615n,
    space: account.data.length,
  }
}

export const getBalance: Method = (params, { view }) => {
  const options = config(params, 1)
  const level = commitment(options)
  checkMinContextSlot(view, options, level)
  const { slot } = view.block(level)
  const account = view.chain.accounts.at(address(params[0]), slot)
  return asOf(slot, account.exists ? account.lamports : 0)
}

export const getAccountInfo: Method = (params, { view }) => {
  const options = config(params, 1)
  const level = commitment(options)
  checkMinContextSlot(view, options, level)
  const { slot } = view.block(level)
  return asOf(slot, accountJson(view.chain.accounts.at(address(params[0]), slot), options))
}

export const getMultipleAccounts: Method = (params, { view }) => {
  const options = { encoding: 'base64', ...config(params, 1) }
  const [names] = params
  if (!Array.isArray(names)) throw invalidParams('Invalid params: expected a sequence of addresses.')
  if (names.length > ACCOUNTS_MOST) throw invalidParams(`Too many inputs provided; max ${ACCOUNTS_MOST}`)
  const level = commitment(options)
  checkMinContextSlot(view, options, level)
  const { slot } = view.block(level)
  return asOf(
    slot,
    names.map((name) => accountJson(view.chain.accounts.at(address(name), slot), options)),
  )
}

export const getMinimumBalanceForRentExemption: Method = ([size], { view }) => {
  if (typeof size !== 'number' || size < 0) throw invalidParams('Invalid params: expected usize.')
  return view.chain.accounts.svm.minimumBalanceForRentExemption(BigInt(size))
}
