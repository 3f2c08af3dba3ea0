import {
  airdropFactory,
  assertIsSendableTransaction,
  assertIsTransactionWithBlockhashLifetime,
  type Base64EncodedWireTransaction,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  generateKeyPairSigner,
  getBase58Decoder,
  isSolanaError,
  lamports,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
  sendAndConfirmTransactionFactory,
} from '@solana/kit'
import { getSetComputeUnitLimitInstruction, getSetComputeUnitPriceInstruction } from '@solana-program/compute-budget'
import { expect, test } from 'vitest'
import { type Cluster, type ClusterOptions, startCluster } from './support/solana/index.js'
import { type Lifetime, memo, payer, signed, tip, transfer } from './support/solana/kit.js'
import { post } from './support/solana/raw.js'

const SOL = 1_000_000_000n

const still = (o: ClusterOptions = {}) => startCluster({ slotMillis: 0, ...o })

const client = (cluster: Cluster, node = 0) => ({
  rpc: createSolanaRpc(cluster.node(node).url),
  rpcSubscriptions: createSolanaRpcSubscriptions(cluster.node(node).wsUrl),
})

async function latest(cluster: Cluster, commitment: 'processed' | 'confirmed' = 'confirmed'): Promise<Lifetime> {
  return (await client(cluster).rpc.getLatestBlockhash({ commitment }).send()).value
}

const send = (cluster: Cluster, base64: string, options: Readonly<Record<string, unknown>> = {}) =>
  post(cluster.url, 'sendTransaction', [
    base64,
    { encoding: 'base64', preflightCommitment: 'confirmed', maxRetries: 0, ...options },
  ])

/** A cluster that stands still, someone with 10 SOL, and the latest blockhash. */
async function ready(o: ClusterOptions = {}) {
  const cluster = await still(o)
  const from = await payer(cluster)
  return { cluster, from, lifetime: await latest(cluster), [Symbol.asyncDispose]: () => cluster.close() }
}

test("kit's own client gets an airdrop, sends a transaction and confirms it", async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { rpc, rpcSubscriptions } = client(cluster)
  const from = await generateKeyPairSigner()
  const to = await generateKeyPairSigner()
  const airdrop = airdropFactory({ rpc, rpcSubscriptions })
  await airdrop({ commitment: 'confirmed', lamports: lamports(SOL), recipientAddress: from.address })
  const { transaction, signature } = await signed(
    from,
    await latest(cluster),
    memo('hello'),
    transfer(from, to.address, 5_000_000n),
  )
  assertIsSendableTransaction(transaction)
  assertIsTransactionWithBlockhashLifetime(transaction)
  await sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions })(transaction, { commitment: 'confirmed' })
  const { value } = await rpc.getSignatureStatuses([signature]).send()
  expect(value[0]?.err).toBe(null)
  expect(cluster.ledger.transaction(signature)).toMatchObject({ err: null, feeLamports: 5000n, memos: ['hello'] })
  expect(cluster.ledger.balance(to.address)).toBe(5_000_000n)
  expect(cluster.ledger.balance(from.address)).toBe(SOL - 5_000_000n - 5000n)
})

test("kit's own client says when a transaction's blockhash has expired", async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { rpc, rpcSubscriptions } = client(cluster)
  const { transaction } = await signed(await payer(cluster), await latest(cluster), memo('late'))
  assertIsSendableTransaction(transaction)
  assertIsTransactionWithBlockhashLifetime(transaction)
  cluster.faults.add({ kind: 'dropTransaction' })
  const sent = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions })(transaction, {
    commitment: 'confirmed',
    maxRetries: 0n,
  })
  const outcome = expect(sent).rejects.toThrow(/progressed past the last block/)
  while (cluster.ledger.dropped().length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  cluster.jump(151)
  await outcome
})

test('a sent transaction lands at a following slot, not at once, and grows older', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64, signature } = await signed(from, lifetime, memo('later'))
  expect((await send(cluster, base64)).result).toBe(signature)
  const status = async () => (await client(cluster).rpc.getSignatureStatuses([signature]).send()).value[0]
  expect(await status()).toBe(null)
  cluster.tick()
  expect(await status()).toMatchObject({ confirmationStatus: 'processed', confirmations: 0n })
  cluster.tick()
  expect(await status()).toMatchObject({ confirmationStatus: 'confirmed', confirmations: 1n })
  cluster.tick(30)
  expect(await status()).toMatchObject({ confirmationStatus: 'finalized', confirmations: null })
  cluster.jump(150)
  expect(await status()).toBe(null)
  const { value } = await client(cluster)
    .rpc.getSignatureStatuses([signature], { searchTransactionHistory: true })
    .send()
  expect(value[0]).toMatchObject({ confirmationStatus: 'finalized', err: null })
})

test('a transaction that would fail is refused by preflight, with its error and its logs', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64 } = await signed(from, lifetime, transfer(from, (await generateKeyPairSigner()).address, 11n * SOL))
  const { error } = await send(cluster, base64)
  expect(error).toMatchObject({
    code: -32002,
    message: 'Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1',
    data: { err: { InstructionError: [0, { Custom: 1 }] }, unitsConsumed: 150 },
  })
  expect(error?.data?.['logs']).toContain('Transfer: insufficient lamports 9999995000, need 11000000000')
  const asKit = client(cluster).rpc.sendTransaction(base64, { encoding: 'base64', preflightCommitment: 'confirmed' })
  const thrown: unknown = await asKit.send().catch((e: unknown) => e)
  expect(isSolanaError(thrown, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE)).toBe(true)
  cluster.tick()
  expect(cluster.ledger.landed()).toEqual([])
})

test('without preflight it lands as failed, and pays its fee', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const to = await generateKeyPairSigner()
  const { base64, signature } = await signed(from, lifetime, memo('no'), transfer(from, to.address, 11n * SOL))
  expect((await send(cluster, base64, { skipPreflight: true })).result).toBe(signature)
  cluster.tick()
  const err = { InstructionError: [1, { Custom: 1 }] }
  expect(cluster.ledger.transaction(signature)).toMatchObject({ err, feeLamports: 5000n, memos: [] })
  expect(cluster.ledger.balance(from.address)).toBe(10n * SOL - 5000n)
  const { result } = await post(cluster.url, 'getSignatureStatuses', [[signature]])
  expect(result).toMatchObject({ value: [{ err, status: { Err: err } }] })
})

test('a transaction that lands is in the ledger once, however often it is sent', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64, signature } = await signed(from, lifetime, memo('once'))
  await send(cluster, base64)
  await send(cluster, base64)
  expect(cluster.pending).toBe(1)
  cluster.tick()
  expect((await send(cluster, base64)).error).toMatchObject({
    code: -32002,
    message: 'Transaction simulation failed: This transaction has already been processed',
    data: { err: 'AlreadyProcessed' },
  })
  expect((await send(cluster, base64, { skipPreflight: true })).result).toBe(signature)
  cluster.tick(3)
  expect(cluster.ledger.memos().get('once')).toBe(1)
  expect(cluster.ledger.dropped()).toMatchObject([{ signature, reason: 'AlreadyProcessed' }])
  expect(cluster.ledger.balance(from.address)).toBe(10n * SOL - 5000n)
})

test('who has nothing can pay no fee: refused, and without preflight in no block', async () => {
  await using it = await ready()
  const { cluster, lifetime } = it
  const { base64, signature } = await signed(await generateKeyPairSigner(), lifetime, memo('poor'))
  expect((await send(cluster, base64)).error).toMatchObject({ code: -32002, data: { err: 'AccountNotFound' } })
  expect((await send(cluster, base64, { skipPreflight: true })).result).toBe(signature)
  cluster.tick()
  expect(cluster.ledger.dropped()).toMatchObject([{ signature, reason: 'AccountNotFound' }])
})

test('a wrong signature is refused by preflight, and lands nowhere without', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const wire = Buffer.from((await signed(from, lifetime, memo('forged'))).base64, 'base64')
  wire[20] = (wire[20] as number) ^ 1
  const forged = wire.toString('base64')
  expect((await send(cluster, forged)).error).toEqual({
    code: -32003,
    message: 'Transaction signature verification failure',
  })
  expect((await send(cluster, forged, { skipPreflight: true })).error).toBe(undefined)
  cluster.tick()
  expect(cluster.ledger.dropped()).toMatchObject([{ reason: 'SignatureFailure' }])
  expect(cluster.ledger.landed()).toEqual([])
})

test('a blockhash is good up to its last block height, and no block longer', async () => {
  await using it = await ready({ confirmedSlots: 0 })
  const { cluster, from, lifetime } = it
  const isValid = async () =>
    (await client(cluster).rpc.isBlockhashValid(lifetime.blockhash, { commitment: 'processed' }).send()).value
  const [last, late] = [await signed(from, lifetime, memo('last')), await signed(from, lifetime, memo('late'))]
  cluster.jump(149)
  expect(BigInt(cluster.height)).toBe(lifetime.lastValidBlockHeight - 1n)
  await send(cluster, last.base64)
  await send(cluster, late.base64, { skipPreflight: true })
  cluster.faults.add({ kind: 'dropTransaction' })
  cluster.tick()
  expect(await isValid()).toBe(true)
  expect((await send(cluster, last.base64)).error?.data?.['err']).toBe('BlockhashNotFound')
  await send(cluster, last.base64, { skipPreflight: true })
  cluster.tick()
  expect(await isValid()).toBe(false)
  expect(cluster.ledger.landed().map(({ signature }) => signature)).toEqual([late.signature])
  expect(cluster.ledger.dropped()).toMatchObject([{ reason: 'Lost' }, { reason: 'BlockhashNotFound' }])
})

test('preflight knows no blockhash that is newer than its commitment', async () => {
  await using it = await ready({ finalizedSlots: 5 })
  const { cluster, from } = it
  cluster.tick(10)
  const { base64 } = await signed(from, await latest(cluster, 'processed'), memo('new'))
  for (const preflightCommitment of ['finalized', 'confirmed', undefined])
    expect((await send(cluster, base64, { preflightCommitment })).error).toMatchObject({
      code: -32002,
      message: 'Transaction simulation failed: Blockhash not found',
    })
  expect((await send(cluster, base64, { preflightCommitment: 'processed' })).error).toBe(undefined)
})

test('slot and height are two numbers, and a skipped slot has no block', async () => {
  await using it = await ready()
  const { cluster } = it
  const { rpc } = client(cluster)
  const commitment = 'processed'
  const before = [await rpc.getSlot({ commitment }).send(), await rpc.getBlockHeight({ commitment }).send()] as const
  cluster.skip(3)
  expect(await rpc.getSlot({ commitment }).send()).toBe(before[0] + 4n)
  expect(await rpc.getBlockHeight({ commitment }).send()).toBe(before[1] + 1n)
  const info = await rpc.getEpochInfo({ commitment }).send()
  expect(info).toMatchObject({ absoluteSlot: before[0] + 4n, blockHeight: before[1] + 1n })
  expect(await rpc.getHealth().send()).toBe('ok')
  expect((await rpc.getVersion().send())['solana-core']).toMatch(/^\d+\.\d+\.\d+$/)
  expect(Buffer.from(await rpc.getGenesisHash().send()).length).toBeGreaterThan(40)
})

test('accounts are read as they were at the commitment that is asked for', async () => {
  await using it = await ready({ finalizedSlots: 3 })
  const { cluster, from, lifetime } = it
  cluster.tick(10)
  const to = await generateKeyPairSigner()
  await send(cluster, (await signed(from, lifetime, transfer(from, to.address, SOL))).base64)
  const { rpc } = client(cluster)
  const balances = async () => {
    const ask = (commitment: 'processed' | 'confirmed' | 'finalized') =>
      rpc.getBalance(to.address, { commitment }).send()
    return [(await ask('processed')).value, (await ask('confirmed')).value, (await ask('finalized')).value]
  }
  expect(await balances()).toEqual([0n, 0n, 0n])
  cluster.tick()
  expect(await balances()).toEqual([SOL, 0n, 0n])
  cluster.tick()
  expect(await balances()).toEqual([SOL, SOL, 0n])
  cluster.tick(2)
  expect(await balances()).toEqual([SOL, SOL, SOL])
})

test('accounts come in the encodings that are asked for, one or many', async () => {
  await using it = await ready()
  const { cluster, from } = it
  const { rpc } = client(cluster)
  const { value } = await rpc.getAccountInfo(from.address, { encoding: 'base64', commitment: 'processed' }).send()
  expect(value).toMatchObject({ lamports: 10n * SOL, data: ['', 'base64'], space: 0n, executable: false })
  const nobody = (await generateKeyPairSigner()).address
  const many = await rpc.getMultipleAccounts([nobody, from.address], { commitment: 'processed' }).send()
  expect(many.value.map((account) => account?.lamports)).toEqual([undefined, 10n * SOL])
  expect(await rpc.getMinimumBalanceForRentExemption(0n).send()).toBe(890_880n)
})

test("a message's fee is what it pays then, and blocks tell their priority fees", async () => {
  await using it = await ready({ confirmedSlots: 0 })
  const { cluster, from, lifetime } = it
  const limit = getSetComputeUnitLimitInstruction({ units: 30_000 })
  const price = getSetComputeUnitPriceInstruction({ microLamports: 250_001n })
  const cases = [[limit, price, memo('a')], [price, memo('b')], [price, tip(from)], [memo('c')]]
  const fees = []
  for (const instructions of cases) {
    const { base64, transaction } = await signed(from, lifetime, ...instructions)
    const message = Buffer.from(transaction.messageBytes).toString('base64')
    const { value: fee } = (await post(cluster.url, 'getFeeForMessage', [message, { commitment: 'confirmed' }]))
      .result as { value: number }
    const before = cluster.ledger.balance(from.address)
    await send(cluster, base64)
    cluster.tick()
    const tips = cluster.ledger.landed().at(-1)?.tipLamports ?? 0n
    expect(before - cluster.ledger.balance(from.address) - tips).toBe(BigInt(fee))
    fees.push(fee)
  }
  expect(fees).toEqual([5000 + 7501, 5000 + 50_751, 5000 + 1501, 5000])
  const told = await client(cluster).rpc.getRecentPrioritizationFees([from.address]).send()
  expect(told.slice(-4).map(({ prioritizationFee }) => prioritizationFee)).toEqual([250_001n, 250_001n, 250_001n, 0n])
})

test('a simulation runs without signatures and with a new blockhash where it is asked to, and leaves nothing', async () => {
  await using it = await ready()
  const { cluster, from } = it
  const nowhere = { blockhash: '1'.repeat(32) as Lifetime['blockhash'], lastValidBlockHeight: 0n }
  const wire = Buffer.from(
    (await signed(from, nowhere, memo('try'), transfer(from, from.address, 1n))).base64,
    'base64',
  )
  wire.fill(0, 1, 65)
  const base64 = wire.toString('base64') as Base64EncodedWireTransaction
  const { rpc } = client(cluster)
  const commitment = 'confirmed'
  const good = await rpc
    .simulateTransaction(base64, { encoding: 'base64', replaceRecentBlockhash: true, commitment })
    .send()
  expect(good.value).toMatchObject({ err: null, replacementBlockhash: await latest(cluster) })
  expect(good.value.logs).toContain('Program log: try')
  expect(good.value.unitsConsumed).toBeGreaterThan(0n)
  const old = await rpc.simulateTransaction(base64, { encoding: 'base64', commitment }).send()
  expect(old.value.err).toBe('BlockhashNotFound')
  const checked = await post(cluster.url, 'simulateTransaction', [base64, { encoding: 'base64', sigVerify: true }])
  expect(checked.result).toMatchObject({ value: { err: 'BlockhashNotFound' } })
  cluster.tick()
  expect(cluster.ledger.landed()).toEqual([])
  expect(cluster.ledger.balance(from.address)).toBe(10n * SOL)
})

test('a landed transaction is told with its meta, in the version that the client takes', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const to = await generateKeyPairSigner()
  const { base64, signature } = await signed(from, lifetime, transfer(from, to.address, SOL))
  await send(cluster, base64)
  cluster.tick()
  const { rpc } = client(cluster)
  const options = { commitment: 'confirmed', maxSupportedTransactionVersion: 0 } as const
  const ask = () => rpc.getTransaction(signature, { ...options, encoding: 'json' }).send()
  expect(await ask()).toBe(null)
  cluster.tick()
  const landed = await ask()
  expect(landed?.meta).toMatchObject({ err: null, fee: 5000n })
  const balances = landed?.meta?.preBalances.map((before, i) => (landed.meta?.postBalances[i] ?? 0n) - before)
  expect(balances).toEqual([-SOL - 5000n, SOL, 0n])
  expect(landed?.transaction).toMatchObject({
    signatures: [signature],
    message: { recentBlockhash: lifetime.blockhash },
  })
  const asBytes = await rpc.getTransaction(signature, { ...options, encoding: 'base64' }).send()
  expect(asBytes).toMatchObject({ transaction: [base64, 'base64'], version: 0 })
  const { error } = await post(cluster.url, 'getTransaction', [signature, { commitment: 'confirmed' }])
  expect(error).toMatchObject({ code: -32015 })
})

test.for<[name: string, method: string, params: unknown[], code: number, message: RegExp]>([
  ['no such method', 'getMoon', [], -32601, /^Method not found$/],
  ['no arguments', 'sendTransaction', [], -32602, /should have at least 1 argument/],
  ['no base64', 'sendTransaction', ['%%', { encoding: 'base64' }], -32602, /^invalid base64 encoding/],
  ['no base58', 'sendTransaction', ['0OIl'], -32602, /^invalid base58 encoding/],
  ['an unknown encoding', 'sendTransaction', ['AA==', { encoding: 'hex' }], -32602, /^unsupported encoding: hex/],
  ['half of a transaction', 'sendTransaction', ['AQID', { encoding: 'base64' }], -32602, /^failed to deserialize/],
  [
    'too long',
    'sendTransaction',
    ['A'.repeat(1648), { encoding: 'base64' }],
    -32602,
    /too large: 1648 bytes \(max: encoded\/raw 1644\/1232\)/,
  ],
  ['a short address', 'getBalance', ['abc'], -32602, /^Invalid param: WrongSize$/],
  ['no address', 'getBalance', ['0'.repeat(40)], -32602, /^Invalid param: Invalid$/],
  ['no signature', 'getSignatureStatuses', [['abc']], -32602, /^Invalid param: WrongSize$/],
  [
    'too many signatures',
    'getSignatureStatuses',
    [Array(257).fill('a')],
    -32602,
    /^Too many inputs provided; max 256$/,
  ],
  ['too many accounts', 'getMultipleAccounts', [Array(101).fill('a')], -32602, /^Too many inputs provided; max 100$/],
  ['no commitment', 'getSlot', [{ commitment: 'soon' }], -32602, /unknown variant `soon`/],
  ['a slot of the future', 'getLatestBlockhash', [{ minContextSlot: 9_999_999 }], -32016, /^Minimum context slot/],
  [
    'both of two',
    'simulateTransaction',
    ['AA==', { sigVerify: true, replaceRecentBlockhash: true }],
    -32602,
    /^sigVerify may not/,
  ],
])('%s is refused as nodes do', async ([, method, params, code, message]) => {
  await using cluster = await still()
  const { error, status } = await post(cluster.url, method, params)
  expect(status).toBe(200)
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
})

test('what is no JSON-RPC is refused, and a batch is answered in its order', async () => {
  await using cluster = await still()
  expect((await post(cluster.url, '', [], { body: '{' })).error?.code).toBe(-32700)
  expect((await post(cluster.url, '', [], { body: '{"id":1}' })).error?.code).toBe(-32600)
  expect((await post(cluster.url, '', [], { body: '[]' })).error?.code).toBe(-32600)
  const batch = ['getHealth', 'getMoon'].map((method, id) => ({ jsonrpc: '2.0', id, method }))
  const { text } = await post(cluster.url, '', [], { body: JSON.stringify(batch) })
  expect(JSON.parse(text)).toMatchObject([
    { id: 0, result: 'ok' },
    { id: 1, error: { code: -32601 } },
  ])
})

test('a transaction comes as base58 too', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64, signature } = await signed(from, lifetime, memo('58'))
  const base58 = getBase58Decoder().decode(Buffer.from(base64, 'base64'))
  expect((await post(cluster.url, 'sendTransaction', [base58, { skipPreflight: true }])).result).toBe(signature)
})

test('what is lost on its way is sent again by its node, unless it is told not to', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const [once, again] = [await signed(from, lifetime, memo('once')), await signed(from, lifetime, memo('again'))]
  cluster.faults.add({ kind: 'dropTransaction', next: 2 })
  await send(cluster, once.base64, { maxRetries: 0 })
  await send(cluster, again.base64, { maxRetries: 1 })
  cluster.tick()
  expect(cluster.ledger.landed()).toEqual([])
  cluster.tick(5)
  expect(cluster.ledger.landed().map(({ signature }) => signature)).toEqual([again.signature])
  expect(cluster.ledger.dropped()).toMatchObject([{ signature: once.signature, reason: 'Lost' }])
})

const next = async <T>(stream: AsyncIterable<T>) => {
  for await (const value of stream) return value
  throw new Error('the stream ended')
}

test('a signature is notified at its commitment, at once where it has landed already, and its subscription ends', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64, signature } = await signed(from, lifetime, memo('notify'))
  await send(cluster, base64)
  // Each with a client of its own: one client asks once for what two of its readers want.
  const subscribe = () =>
    client(cluster)
      .rpcSubscriptions.signatureNotifications(signature, { commitment: 'confirmed' })
      .subscribe({ abortSignal: AbortSignal.timeout(5000) })
  const first = next(await subscribe())
  cluster.tick()
  expect(cluster.node().subscriptions).toBe(1)
  cluster.tick()
  expect(await first).toMatchObject({ value: { err: null } })
  expect(await next(await subscribe())).toMatchObject({ value: { err: null } })
  expect(cluster.node().subscriptions).toBe(0)
})

test('slots, logs and accounts are notified until the client is done with them', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { rpcSubscriptions } = client(cluster)
  const controller = new AbortController()
  const { signal: abortSignal } = controller
  const commitment = 'processed'
  const slots = await rpcSubscriptions.slotNotifications().subscribe({ abortSignal })
  const logs = await rpcSubscriptions
    .logsNotifications({ mentions: [from.address] }, { commitment })
    .subscribe({ abortSignal })
  const accounts = await rpcSubscriptions
    .accountNotifications(from.address, { commitment, encoding: 'base64' })
    .subscribe({ abortSignal })
  const { base64, signature } = await signed(from, lifetime, memo('listen'))
  await send(cluster, base64)
  const heard = Promise.all([next(slots), next(logs), next(accounts)])
  cluster.tick()
  const [slot, log, account] = await heard
  expect(slot).toMatchObject({ slot: BigInt(cluster.slot), parent: BigInt(cluster.slot - 1) })
  expect(log.value).toMatchObject({ signature, err: null })
  expect(log.value.logs).toContain('Program log: listen')
  expect(account.value.lamports).toBe(10n * SOL - 5000n)
  controller.abort()
  while (cluster.node().subscriptions > 0) await new Promise((resolve) => setTimeout(resolve, 2))
})

test('a restored chain is as it was when it was saved, and goes on along another fork', async () => {
  await using it = await ready({ confirmedSlots: 0 })
  const { cluster, from, lifetime } = it
  const [kept, lost] = [await signed(from, lifetime, memo('kept')), await signed(from, lifetime, memo('lost'))]
  await send(cluster, kept.base64)
  cluster.tick()
  cluster.save()
  await send(cluster, lost.base64)
  cluster.tick()
  const abandoned = await latest(cluster)
  expect(cluster.ledger.memos()).toEqual(
    new Map([
      ['kept', 1],
      ['lost', 1],
    ]),
  )
  cluster.restore()
  expect(cluster.ledger.memos()).toEqual(new Map([['kept', 1]]))
  expect(cluster.ledger.balance(from.address)).toBe(10n * SOL - 5000n)
  cluster.tick()
  expect((await latest(cluster)).blockhash).not.toBe(abandoned.blockhash)
  const stale = await signed(from, abandoned, memo('stale'))
  expect((await send(cluster, stale.base64)).error?.data?.['err']).toBe('BlockhashNotFound')
  expect((await send(cluster, lost.base64)).error).toBe(undefined)
  cluster.tick()
  expect(cluster.ledger.memos()).toEqual(
    new Map([
      ['kept', 1],
      ['lost', 1],
    ]),
  )
})
