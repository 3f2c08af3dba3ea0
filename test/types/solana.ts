// What the public types of velox-engine/solana promise, checked by the compiler: `tsc -p test/types`.
import { address, createTransactionMessage, setTransactionMessageFeePayer } from '@solana/kit'
import { getTransferSolInstruction } from '@solana-program/system'
import { type Bundle, type Infer, pipeline, poisson, record, type Transaction, u64 } from 'velox-engine'
import {
  createSubmitter,
  JitoClient,
  type KitMessage,
  keypairFile,
  memoTemplate,
  type Outcome,
  type SubmissionState,
  type TransactionBuilder,
  toSolanaTransaction,
  transactionTemplate,
} from 'velox-engine/solana'
import * as exported from '../../dist/solana/index.js'

// What the package exports is what its types say; where kit's own types come in, the public ones know them by their shape.
type ByShape = 'transactionTemplate' | 'messageBuilder'
export const face: Omit<typeof import('velox-engine/solana'), ByShape> = exported
export const message: KitMessage = setTransactionMessageFeePayer(address(''), createTransactionMessage({ version: 0 }))
export const template = transactionTemplate({
  signer: keypairFile('key.json'),
  message,
  addresses: { market: { by: 'instrument', table: [''] } },
  each: (order, { market }) => {
    is<Equal<typeof order, Infer<typeof Transaction>>>()
    return [getTransferSolInstruction({ source: market, destination: market, amount: order.price })]
  },
})

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_?: T): void => {}

export async function submitter() {
  const template = memoTemplate({ signer: keypairFile('key.json') })
  const made = await createSubmitter({ rpc: 'http://x', template, limits: { maxLamports: 1n }, journal: false })
  const transactions = pipeline('p')
    .from(poisson({ perSecond: 1 }))
    .trades()
    .transactions()
  await transactions.bundle().to(made).start()
  // @ts-expect-error: it takes bundles
  transactions.to(made)
  // @ts-expect-error: limits come first
  createSubmitter({ rpc: 'http://x', template, journal: false })
  // @ts-expect-error: whether there is a journal has to be said
  createSubmitter({ rpc: 'http://x', template, limits: { maxLamports: 1n } })

  for await (const outcome of made) is<Equal<typeof outcome, Outcome>>()
  for await (const state of made.outcomes({ all: true })) is<Equal<typeof state, SubmissionState>>()
}

// The union tells its states apart.
export function told(state: SubmissionState): bigint {
  switch (state.state) {
    case 'landed':
    case 'failed':
      return state.spentLamports
    case 'built':
    case 'expired':
      return state.lastValidBlockHeight
    case 'pending':
      return state.slot
    case 'simulated':
      return state.unitsConsumed
    case 'sent':
      // @ts-expect-error: a receipt has no slot
      return state.slot
  }
}

// A template of one's own records is a builder, and so is an object of one's own.
const Order = record('Order', { id: u64 })
export const own: TransactionBuilder = memoTemplate({ signer: keypairFile('key.json'), record: Order })
export const object: TransactionBuilder = { feePayer: '', recordsPerTransaction: 1, build: async () => [] }

export async function jito(bundle: (typeof Bundle)['fields']['transactions']) {
  const client = new JitoClient('http://x')
  // @ts-expect-error: a bundle, or transactions
  client.sendBundle(bundle)
  const status = await client.getBundleStatus('')
  is<Equal<typeof status, 'pending' | 'landed' | 'failed' | 'invalid' | 'unknown'>>()
  // @ts-expect-error: a Transaction
  toSolanaTransaction({ id: 1 })
}
