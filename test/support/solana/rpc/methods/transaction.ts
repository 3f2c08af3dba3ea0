import { getBase58Decoder } from '@solana/kit'
import type { Landed, LandedDetails } from '../../chain/landed.js'
import type { WireTransaction } from '../../chain/transaction.js'
import { invalidParams, RpcError } from '../../json-rpc.js'
import type { Method } from '../context.js'
import { commitment, config, signature } from '../params.js'
import type { View } from '../view.js'

const base58 = getBase58Decoder()

function encoded(transaction: WireTransaction, encoding: unknown): unknown {
  const { wire } = transaction
  switch (encoding) {
    case 'base58':
      return [base58.decode(wire), 'base58']
    case 'base64':
      return [Buffer.from(wire).toString('base64'), 'base64']
    case 'json':
      return asJson(transaction)
    default:
      throw invalidParams(`unsupported encoding: ${String(encoding)}`)
  }
}

function asJson({
  transaction,
  accounts,
  signatures,
  writable,
  blockhash,
  instructions,
  lookups,
  version,
}: WireTransaction) {
  const written = new Set(writable)
  const isReadonlySigner = (name: string, i: number) => i < signatures && !written.has(name as never)
  return {
    message: {
      accountKeys: accounts,
      header: {
        numRequiredSignatures: signatures,
        numReadonlySignedAccounts: accounts.filter(isReadonlySigner).length,
        numReadonlyUnsignedAccounts: accounts.filter((name, i) => i >= signatures && !written.has(name)).length,
      },
      instructions: instructions.map(({ program, accounts: used, data }) => ({
        accounts: used,
        data: base58.decode(data),
        programIdIndex: accounts.indexOf(program),
        stackHeight: 1,
      })),
      recentBlockhash: blockhash,
      ...(version === 0
        ? {
            addressTableLookups: lookups.map(({ table, writable: w, readonly: r }) => ({
              accountKey: table,
              writableIndexes: w,
              readonlyIndexes: r,
            })),
          }
        : {}),
    },
    signatures: Object.values(transaction.signatures).map((bytes) => base58.decode(bytes ?? new Uint8Array(64))),
  }
}

function meta({ err, feeLamports, slot }: Landed, details: LandedDetails, view: View): unknown {
  const { transaction, balances, logs, unitsConsumed } = details
  const readonly = (name: WireTransaction['feePayer']) => {
    const account = view.chain.accounts.at(name, slot)
    return account.exists ? account.lamports : 0n
  }
  return {
    err,
    status: err === null ? { Ok: null } : { Err: err },
    fee: feeLamports,
    preBalances: transaction.accounts.map((name) => balances.get(name)?.[0] ?? readonly(name)),
    postBalances: transaction.accounts.map((name) => balances.get(name)?.[1] ?? readonly(name)),
    innerInstructions: [],
    logMessages: logs,
    preTokenBalances: [],
    postTokenBalances: [],
    rewards: [],
    loadedAddresses: { writable: [], readonly: [] },
    computeUnitsConsumed: unitsConsumed,
  }
}

export const getTransaction: Method = (params, { view }) => {
  const options = config(params, 1)
  const level = commitment(options)
  if (level === 'processed') throw invalidParams('Method does not support commitment below `confirmed`')
  const landed = view.landed(signature(params[0]), level)
  // What is old is known by its status only.
  if (!landed?.details) return null
  const { slot, details } = landed
  const { transaction } = details
  const { maxSupportedTransactionVersion: most, encoding = 'json' } = options
  if (transaction.version === 0 && most !== 0)
    throw new RpcError(
      -32015,
      'Transaction version (0) is not supported by the requesting client. Please try the request again with the following configuration parameter: "maxSupportedTransactionVersion": 0',
    )
  return {
    blockTime: view.chain.blocks.at(slot).time,
    meta: meta(landed, details, view),
    slot,
    transaction: encoded(transaction, encoding),
    ...(most === undefined ? {} : { version: transaction.version }),
  }
}
