// The slow lane on the chain: messages of a user with signers of kit, and those that live by a durable nonce to their end.
import { setTimeout as delay } from 'node:timers/promises'
import {
  AccountRole,
  type Address,
  appendTransactionMessageInstruction,
  appendTransactionMessageInstructions,
  compressTransactionMessageUsingAddressLookupTables,
  createTransactionMessage,
  generateKeyPairSigner,
  type KeyPairSigner,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingDurableNonce,
  type TransactionPartialSigner,
  type TransactionSigner,
} from '@solana/kit'
import { getAdvanceNonceAccountInstruction } from '@solana-program/system'
import { messageBuilder, type Row, type TransactionBuilder } from 'velox-engine/solana'
import { expect, test } from 'vitest'
import { rejected } from './support/errors.js'
import { inFrontOf } from './support/in-front-of.js'
import { type Cluster, MEMO_PROGRAM, startCluster, TIP_ACCOUNTS } from './support/solana/index.js'
import { latest, nonceAccount, nonceIn, payer as payerOf, signed, transfer } from './support/solana/kit.js'
import { post } from './support/solana/raw.js'
import { expectTrue, freshJournal, jitoOf, rowsOf, states, submitterOf } from './support/submitter.js'
import { until } from './support/until.js'

/** A record as a memo that these sign. */
const memoOf = ({ id }: Row, ...by: readonly TransactionSigner[]) => ({
  programAddress: MEMO_PROGRAM,
  accounts: by.map((signer) => ({ address: signer.address, role: AccountRole.READONLY_SIGNER, signer })),
  data: Buffer.from(String(id)),
})

const paidBy = (payer: TransactionSigner) =>
  pipe(createTransactionMessage({ version: 0 }), (m) => setTransactionMessageFeePayerSigner(payer, m))

test('messages of a user land, signed by a service and by a second key', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const payer = await generateKeyPairSigner()
  const second = await generateKeyPairSigner()
  const service: TransactionPartialSigner = {
    address: payer.address,
    async signTransactions(transactions) {
      await delay(5)
      return payer.signTransactions(transactions as never)
    },
  }
  const template = await messageBuilder({
    feePayer: payer.address,
    recordsPerTransaction: 2,
    build: (records) => {
      const pairs = Array.from({ length: Math.ceil(records.length / 2) }, (_, i) => records.slice(2 * i, 2 * i + 2))
      return pairs.map((pair) =>
        appendTransactionMessageInstructions(
          pair.map((row) => memoOf(row as Row, second)),
          paidBy(service),
        ),
      )
    },
  })
  const { submitter } = await submitterOf(cluster, { template, payer })
  const outcomes = await submitter.submit(rowsOf(5))
  expect(states(outcomes)).toEqual(Array(3).fill('landed'))
  expect(outcomes.map(({ records }) => records)).toEqual([2, 2, 1])
  // Two signatures each.
  expect(submitter.stats().spentLamports).toBe(30_000n)
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
})

test('a bundle whose tip account is in a lookup table is refused before it is sent', async () => {
  await using cluster = await startCluster({ slotMillis: 20, jitoPerSecond: 100 })
  const payer = await generateKeyPairSigner()
  const [account] = TIP_ACCOUNTS as [Address]
  const table = (await generateKeyPairSigner()).address
  const template = await messageBuilder({
    feePayer: payer.address,
    build: ([row]) => [
      pipe(
        paidBy(payer),
        (m) => appendTransactionMessageInstructions([memoOf(row as Row), transfer(payer, account, 1_000n)], m),
        (m) => compressTransactionMessageUsingAddressLookupTables(m, { [table]: [account] }),
      ) as never,
    ],
  })
  const { submitter } = await submitterOf(cluster, { template, payer, jito: jitoOf(cluster), tipAccounts: [account] })
  const [outcome] = await submitter.submit(rowsOf(1))
  expect(outcome).toMatchObject({ state: 'failed', spentLamports: 0n, error: { code: 'VELOX_INVALID_VALUE' } })
  expect((outcome as { error: Error }).error.message).toBe(
    `tip.account: expected an account that is in no lookup table of the message, got "${account}"`,
  )
  expect(cluster.requests.count({ method: 'sendBundle' })).toBe(0)
  await submitter.close()
})

/** A nonce account of somebody who signs beside the payer, and a builder of messages that live by it. */
async function durable(cluster: Cluster) {
  const owner = await payerOf(cluster)
  const payer = await generateKeyPairSigner()
  const land = async ({ base64, signature }: { base64: string; signature: string }) => {
    expect((await post(cluster.url, 'sendTransaction', [base64, CONFIG])).error).toBe(undefined)
    await until(() => cluster.ledger.transaction(signature) !== undefined)
  }
  const { account, made } = await nonceAccount(owner, await latest(cluster))
  await land(made)
  const template: TransactionBuilder = await messageBuilder({
    feePayer: payer.address,
    build: async ([row]) => {
      const lifetime = {
        nonce: await nonceIn(cluster, account),
        nonceAccountAddress: account,
        nonceAuthorityAddress: owner.address,
      }
      return [
        pipe(
          paidBy(payer),
          (m) => setTransactionMessageLifetimeUsingDurableNonce(lifetime, m),
          (m) => appendTransactionMessageInstruction(memoOf(row as Row, owner), m),
        ) as never,
      ]
    },
  })
  const advance = async (by: KeyPairSigner = owner) => {
    const o = { nonceAccount: account, nonceAuthority: owner }
    await land(await signed(by, await latest(cluster), memo(by), getAdvanceNonceAccountInstruction(o)))
  }
  return { payer, template, advance }
}
const CONFIG = { encoding: 'base64', preflightCommitment: 'processed' }
/** Before the advance: a transaction that begins with one lives by it. */
const memo = (by: KeyPairSigner) => memoOf({ id: 'advance' }, by)

test('a message with a durable nonce grows no older by blocks, and lands once', async () => {
  await using cluster = await startCluster({ slotMillis: 20, finalizedSlots: 3 })
  const { payer, template } = await durable(cluster)
  const { submitter } = await submitterOf(cluster, { template, payer })
  const planned = cluster.faults.add({ kind: 'dropTransaction', probability: 1 })
  const outcomes = submitter.submit(rowsOf(1))
  await until(() => cluster.requests.count({ method: 'sendTransaction' }) >= 2)
  cluster.jump(200)
  // Looked at more than once since.
  const asked = () => cluster.requests.count({ method: 'getMultipleAccounts' })
  cluster.jump(200)
  await until(() => asked() >= 2)
  expect(submitter.stats()).toMatchObject({ expired: 0, inFlight: 1 })
  planned.remove()
  const ended = await outcomes
  expect(states(ended)).toEqual(['landed'])
  expect(submitter.stats().spentLamports).toBe(10_000n)
  expectTrue(cluster, payer.address, submitter, ended)
  await submitter.close()
})

test('it has expired once its nonce is another for good, which a restart finds out too', async () => {
  await using cluster = await startCluster({ slotMillis: 20, finalizedSlots: 40 })
  const { payer, template, advance } = await durable(cluster)
  const journal = freshJournal()
  const first = await submitterOf(cluster, { template, payer, journal })
  const planned = cluster.faults.add({ kind: 'dropTransaction', probability: 1 })
  const lost = rejected(first.submitter.submit(rowsOf(1)))
  await until(() => cluster.requests.count({ method: 'sendTransaction' }) >= 2)
  await first.submitter.close({ timeoutMillis: 0 })
  expect(await lost).toMatchObject({ code: 'VELOX_SUBMITTER_CLOSED' })

  // Which accounts are told as what they aren't: nothing, too short, of a slot that is too old.
  const wrong: readonly ((told: { context: { slot: number }; value: unknown[] }) => unknown)[] = [
    (told) => ({ ...told, value: [null] }),
    (told) => ({ ...told, value: [{ data: ['AAAA', 'base64'] }] }),
    (told) => ({ ...told, context: { slot: 1 } }),
    () => null,
  ]
  let told = 0
  const url = await inFrontOf(cluster.url, (method, result) => {
    const change = method === 'getMultipleAccounts' ? wrong[told++] : undefined
    return change ? change(result as never) : result
  })
  const rpc = { url, perSecond: 1_000 }
  const { submitter } = await submitterOf(cluster, { template, payer, journal, rpc, blockhashMillis: 50 })
  const resumed = submitter.outcomes()
  submitter.halt('so that the next ones come through')
  // What is on its way to a block is lost before.
  await delay(200)
  planned.remove()
  await advance()
  // It could still be the nonce before, of a node that is behind the builder's.
  cluster.jump(80)
  await delay(500)
  expect([told, submitter.stats().inFlight]).toEqual([0, 1])
  cluster.jump(200)
  await until(() => told >= wrong.length, 20_000)
  expect((await resumed.next()).value).toMatchObject({ state: 'expired', resumed: true })
  expect(told).toBe(wrong.length + 1)
  expect(submitter.stats()).toMatchObject({ expired: 1, inFlight: 0, spentLamports: 0n, windowLamports: 0n })
  expect(cluster.ledger.landed(payer.address)).toEqual([])
  await submitter.close()
})
