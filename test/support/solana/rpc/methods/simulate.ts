import { getBase58Decoder } from '@solana/kit'
import { FailedTransactionMetadata, type SimulatedTransactionInfo } from 'litesvm'
import { BLOCKHASH_AGE_MOST, type Block } from '../../chain/blocks.js'
import { type TransactionError, transactionError } from '../../chain/errors.js'
import { fee } from '../../chain/fees.js'
import type { WireTransaction } from '../../chain/transaction.js'
import { invalidParams } from '../../json-rpc.js'
import { asOf, type Method } from '../context.js'
import { address, type Config, checkMinContextSlot, commitment, config, text } from '../params.js'
import type { View } from '../view.js'
import { decodeTransaction } from '../wire.js'
import { accountJson } from './accounts.js'

export interface Simulated {
  readonly err: TransactionError | null
  readonly logs: readonly string[]
  readonly unitsConsumed: bigint
  readonly returnData: { readonly programId: string; readonly data: readonly [string, 'base64'] } | null
  readonly post: ReturnType<SimulatedTransactionInfo['postAccounts']>
}

const base58 = getBase58Decoder()

const nothing = (err: TransactionError): Simulated => ({ err, logs: [], unitsConsumed: 0n, returnData: null, post: [] })

interface How {
  /** The newest block that the simulating bank knows. */
  readonly bank: Block
  readonly sigVerify: boolean
  readonly checksLifetime: boolean
}

/** Executes a transaction on a copy of the accounts as they are now, and leaves nothing behind. */
export function simulate(
  view: View,
  transaction: WireTransaction,
  { bank, sigVerify, checksLifetime }: How,
): Simulated {
  const { chain } = view
  const { svm } = chain.accounts
  if (checksLifetime) {
    const known = chain.blocks.byHash(transaction.blockhash)
    // A node does not know the blockhash of a block that it has not seen.
    if (known && known.slot > bank.slot) return nothing('BlockhashNotFound')
    const err = chain.check(transaction, bank.height + 1)
    const isSeen = err !== 'AlreadyProcessed' || view.landed(transaction.signature) !== undefined
    if (err !== undefined && isSeen) return nothing(err)
  }
  svm.withSigverify(sigVerify)
  try {
    return told(svm.simulateTransaction(transaction.transaction))
  } catch {
    // What litesvm throws for is a signature that is not there.
    return nothing('SignatureFailure')
  } finally {
    svm.withSigverify(true)
  }
}

function told(result: FailedTransactionMetadata | SimulatedTransactionInfo): Simulated {
  const meta = result.meta()
  const data = meta.returnData().data()
  return {
    err: result instanceof FailedTransactionMetadata ? transactionError(result.err()) : null,
    logs: meta.logs(),
    unitsConsumed: meta.computeUnitsConsumed(),
    returnData:
      data.length > 0
        ? {
            programId: base58.decode(meta.returnData().programId()),
            data: [Buffer.from(data).toString('base64'), 'base64'],
          }
        : null,
    post: result instanceof FailedTransactionMetadata ? [] : result.postAccounts(),
  }
}

/** The value that `simulateTransaction` gives, which is the data of a failed preflight too. */
export const simulatedJson = ({ err, logs, unitsConsumed, returnData }: Simulated): Record<string, unknown> => ({
  accounts: null,
  err,
  innerInstructions: null,
  logs,
  replacementBlockhash: null,
  returnData,
  unitsConsumed,
})

function accountsAfter({ post }: Simulated, view: View, options: Config): unknown {
  const wanted = options['accounts'] as { addresses?: unknown[]; encoding?: unknown } | undefined
  if (!wanted) return null
  const { addresses = [], encoding = 'base64' } = wanted
  return addresses.map((value) => {
    const name = address(value)
    const after = post.find((account) => account.address === name)
    return accountJson(after ? { ...after, exists: true } : view.chain.accounts.svm.getAccount(name), { encoding })
  })
}

export const simulateTransaction: Method = (params, { view }) => {
  const options = config(params, 1)
  const { sigVerify = false, replaceRecentBlockhash = false, encoding = 'base58' } = options
  if (sigVerify && replaceRecentBlockhash) throw invalidParams('sigVerify may not be used with replaceRecentBlockhash')
  const transaction = decodeTransaction(text(params, 0), encoding)
  const level = commitment(options)
  checkMinContextSlot(view, options, level)
  const bank = view.block(level)
  const done = simulate(view, transaction, {
    bank,
    sigVerify: sigVerify === true,
    checksLifetime: replaceRecentBlockhash !== true,
  })
  const { blockhash, height } = bank
  return asOf(bank.slot, {
    ...simulatedJson(done),
    accounts: accountsAfter(done, view, options),
    fee: fee(transaction),
    replacementBlockhash: replaceRecentBlockhash
      ? { blockhash, lastValidBlockHeight: height + BLOCKHASH_AGE_MOST }
      : null,
  })
}
