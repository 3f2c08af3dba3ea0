import * as kit from '@solana/kit'
import { FailedTransactionMetadata, LiteSVM } from 'litesvm'
import { VeloxError } from 'velox-engine'
import { beforeEach, expect, test } from 'vitest'
import { memoTemplate } from '../dist/solana/memo.js'
import { messageBuilder } from '../dist/solana/message-builder.js'
import { keypairFile } from '../dist/solana/signer.js'
import { asKeyFile, keyFile, pairBytes } from './support/solana-key.js'

const MEMO = kit.address('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr')
const TIP_ACCOUNT = kit.address('96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5')
const BLOCKHASH = 'EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N'
const CONTEXT = { blockhash: BLOCKHASH, lastValidBlockHeight: 1n, computeUnitPrice: 0n }
const SOL = 1_000_000_000n

const order = (id: number) => ({
  id,
  price: 618_003,
  size: 1,
  side: 'bid' as const,
  instrument: 0,
  ingressTsNs: 1n,
})

let pair: Buffer
let payer: kit.KeyPairSigner

beforeEach(async () => {
  pair = pairBytes()
  payer = await kit.createKeyPairSignerFromBytes(pair)
})

/** A memo of these records, signed by whoever signs for the payer. */
const memo = (records: readonly { id: number | bigint }[], by: kit.TransactionSigner = payer) =>
  kit.pipe(
    kit.createTransactionMessage({ version: 0 }),
    (m) => kit.setTransactionMessageFeePayerSigner(by, m),
    (m) =>
      kit.appendTransactionMessageInstruction(
        { programAddress: MEMO, accounts: [], data: Buffer.from(records.map(({ id }) => id).join(' ')) },
        m,
      ),
  )

test('messages of a user run with their tip, and are counted like those of a template', async () => {
  const svm = new LiteSVM()
  svm.airdrop(payer.address, kit.lamports(SOL))
  svm.airdrop(TIP_ACCOUNT, kit.lamports(SOL))
  const builder = await messageBuilder({
    feePayer: payer.address,
    recordsPerTransaction: 2,
    build: (records) => [memo(records.slice(0, 2)), memo(records.slice(2))],
  })
  const tip = { lamports: 1_000n, account: TIP_ACCOUNT }
  const context = { ...CONTEXT, blockhash: svm.latestBlockhash() as string, tip }
  const signed = await builder.build([order(1), order(2), order(3)], context)
  expect(signed.map(({ records, lamports, tipLamports }) => [records, lamports, tipLamports])).toEqual([
    [2, 5_000n, 0n],
    [1, 5_000n, 1_000n],
  ])
  for (const { wire, base64, signature } of signed) {
    expect(Buffer.from(wire).toString('base64')).toBe(base64)
    const result = svm.sendTransaction(kit.getTransactionDecoder().decode(wire) as never)
    if (result instanceof FailedTransactionMetadata) throw new Error(result.toString())
    expect(kit.getBase58Decoder().decode(result.signature())).toBe(signature)
  }
  expect(svm.getBalance(TIP_ACCOUNT)).toBe(SOL + 1_000n)
  expect(svm.getBalance(payer.address)).toBe(SOL - 11_000n)
})

test('any signer of kit signs, such as one of a service', async () => {
  let asked = 0
  const service: kit.TransactionPartialSigner = {
    address: payer.address,
    async signTransactions(transactions) {
      asked += transactions.length
      await new Promise((resolve) => setTimeout(resolve, 5))
      return payer.signTransactions(transactions as never)
    },
  }
  const build = (records: readonly { id: number | bigint }[]) => records.map((record) => memo([record], service))
  const builder = await messageBuilder({ feePayer: payer.address, build })
  const signed = await builder.build([order(1), order(2)], CONTEXT)
  expect([signed.length, asked]).toEqual([2, 2])
  const transaction = kit.getTransactionDecoder().decode(signed[0]?.wire as Uint8Array)
  kit.assertIsFullySignedTransaction(transaction)
})

test('a nonce stays, and says so', async () => {
  const builder = await messageBuilder({
    feePayer: payer.address,
    build: ([record]) => [
      kit.setTransactionMessageLifetimeUsingDurableNonce(
        {
          nonce: BLOCKHASH as kit.Nonce,
          nonceAccountAddress: TIP_ACCOUNT,
          nonceAuthorityAddress: payer.address,
        },
        memo([record as { id: number }]),
      ) as never,
    ],
  })
  const [signed] = await builder.build([order(1)], { ...CONTEXT, blockhash: '11111111111111111111111111111111' })
  expect(signed?.hasNonce).toBe(true)
  const [plain] = await memoTemplate({ signer: keypairFile(keyFile(asKeyFile(pair))) }).build([order(1)], CONTEXT)
  expect(plain?.hasNonce).toBe(false)
})

test('what can not be sent is refused', async () => {
  const refused = async (build: (records: readonly { id: number | bigint }[]) => unknown, context: object = {}) => {
    const builder = await messageBuilder({ feePayer: payer.address, build: build as never })
    const error: unknown = await builder.build([order(1)], { ...CONTEXT, ...context }).catch((error) => error)
    if (!(error instanceof VeloxError)) throw new Error(`expected a VeloxError, got ${error}`)
    return `${error.code} ${error.message}`
  }
  expect(await refused(() => [])).toContain('build: expected 1 messages of 1 records, got an array of 0')
  const other = await kit.generateKeyPairSigner()
  expect(await refused((records) => [memo(records, other)])).toContain(`expected messages that ${payer.address} pays`)
  const lifetime = { blockhash: TIP_ACCOUNT as string as kit.Blockhash, lastValidBlockHeight: 10n ** 9n }
  const own = (records: readonly { id: number | bigint }[]) => [
    kit.setTransactionMessageLifetimeUsingBlockhash(lifetime, memo(records)),
  ]
  expect(await refused(own)).toContain(`of the context's blockhash ${BLOCKHASH}, got another blockhash`)
  const long = () => [memo([{ id: 10n ** 1_100n }])]
  expect(await refused(long)).toMatch(/^VELOX_TRANSACTION_TOO_LONG 1 records.*expected at most 1232 bytes/)
  const tip = { tip: { lamports: 999n, account: TIP_ACCOUNT } }
  expect(await refused((records) => [memo(records)], tip)).toContain('tip.lamports: expected at least 1000n, got 999n')
})
