// Jito's block engine: bundles land as a whole or not at all, and only the chain says that they have.
import { generateKeyPairSigner } from '@solana/kit'
import { bundleIdOf, createSubmitter, JitoClient, tipFloor } from 'velox-engine/solana'
import { expect, test } from 'vitest'
import { rejected } from './support/errors.js'
import { inFrontOf } from './support/in-front-of.js'
import { kitBuilder } from './support/kit-builder.js'
import { type Cluster, type Fault, startCluster, TIP_ACCOUNTS } from './support/solana/index.js'
import { expectTrue, jitoOf, rowsOf, states, submitterOf } from './support/submitter.js'
import { until } from './support/until.js'

const FAST = { slotMillis: 20, jitoPerSecond: 100 }

test('16 records are 4 bundles, each with its tip, landed as such', async () => {
  await using cluster = await startCluster(FAST)
  const { submitter, payer } = await submitterOf(cluster, { jito: jitoOf(cluster), tip: 2_000n })
  const outcomes = await submitter.submit(rowsOf(16))
  expect(states(outcomes)).toEqual(Array(4).fill('landed'))
  expect(outcomes.map(({ records }) => records)).toEqual([5, 5, 5, 1])
  for (const { bundleId, signatures } of outcomes) {
    expect(bundleId).toBe(bundleIdOf(signatures))
    for (const signature of signatures)
      expect(cluster.ledger.transaction(signature)).toMatchObject({ bundleId, err: null })
    const tips = signatures.map((signature) => cluster.ledger.transaction(signature)?.tipLamports)
    expect(tips).toEqual([...Array(signatures.length - 1).fill(0n), 2_000n])
  }
  expect(cluster.ledger.spent(payer.address).tipLamports).toBe(8_000n)
  expectTrue(cluster, payer.address, submitter, outcomes)
  expect(cluster.requests.count({ method: 'sendTransaction' })).toBe(0)
  await submitter.close()
})

test('packed, 16 records are one bundle', async () => {
  await using cluster = await startCluster(FAST)
  const { submitter, payer } = await submitterOf(cluster, {
    jito: jitoOf(cluster),
    builder: { recordsPerTransaction: 4 },
  })
  const outcomes = await submitter.submit(rowsOf(16))
  expect(outcomes).toMatchObject([{ state: 'landed', records: 16, signatures: { length: 4 } }])
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
})

const FAULTS: readonly [string, Fault][] = [
  ['bundles that are dropped', { kind: 'dropBundle', next: 2 }],
  ['429', { kind: 'tooMany', method: 'sendBundle', next: 2 }],
  ['an answer lost after it was accepted', { kind: 'replyLost', method: 'sendBundle', next: 2 }],
  [
    'congestion',
    {
      kind: 'rpcError',
      method: 'sendBundle',
      code: -32097,
      message: 'Network congested. Endpoint is globally rate limited.',
    },
  ],
]
test.each(FAULTS)('%s: the same bundles are sent again, and land once', async (_, fault) => {
  await using cluster = await startCluster({ ...FAST, slotMillis: 50 })
  const { submitter, payer } = await submitterOf(cluster, { jito: jitoOf(cluster) })
  const planned = cluster.faults.add(fault)
  const outcomes = await submitter.submit(rowsOf(10))
  expect(planned.hits).toBeGreaterThan(0)
  expect(states(outcomes)).toEqual(['landed', 'landed'])
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
})

test('of a bundle with a transaction that fails nothing lands: it expires, and costs nothing', async () => {
  await using cluster = await startCluster({ ...FAST, finalizedSlots: 2 })
  const to = (await generateKeyPairSigner()).address
  const { submitter, payer } = await submitterOf(cluster, {
    jito: jitoOf(cluster),
    limits: { maxLamports: 10n ** 12n },
    builder: { pays: { to, lamports: ([row]) => (row?.['id'] === 1 ? 100_000_000_000n : 1_000_000n) } },
  })
  const outcomes = submitter.submit(rowsOf(3))
  await until(() => cluster.requests.count({ method: 'sendBundle' }) >= 1)
  cluster.jump(152)
  expect(states(await outcomes)).toEqual(['expired'])
  expect(cluster.ledger.landed(payer.address)).toEqual([])
  expect(cluster.ledger.balance(to)).toBe(0n)
  await submitter.close()
})

test('regions have a bucket each: as many requests a second as there are regions', async () => {
  await using cluster = await startCluster({ slotMillis: 20, regions: ['ny', 'tokyo', 'london'] })
  const { submitter, payer } = await submitterOf(cluster, {
    jito: { url: cluster.regions.map(({ url }) => url) },
    tipAccounts: TIP_ACCOUNTS,
    resendMillis: 60_000,
  })
  const outcomes = await submitter.submit(rowsOf(30))
  expect(states(outcomes)).toEqual(Array(6).fill('landed'))
  // A second apart as they are sent; a busy machine brings them nearer.
  for (const { name } of cluster.regions) expect(cluster.requests.busiest(400, { server: name })).toBe(1)
  expect(submitter.stats().endpoints.reduce((sum, { throttled }) => sum + throttled, 0)).toBe(0)
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
})

test('with send: all each region gets every bundle, and it lands once', async () => {
  await using cluster = await startCluster({ ...FAST, regions: ['ny', 'tokyo'] })
  const { submitter, payer } = await submitterOf(cluster, {
    jito: { url: cluster.regions.map(({ url }) => url), perSecond: 100, send: 'all' },
    resendMillis: 60_000,
  })
  const outcomes = await submitter.submit(rowsOf(10))
  expect(states(outcomes)).toEqual(['landed', 'landed'])
  for (const { name } of cluster.regions) expect(cluster.requests.count({ server: name, method: 'sendBundle' })).toBe(2)
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
})

test('tips go to tip accounts by chance', async () => {
  await using cluster = await startCluster(FAST)
  const { submitter, payer } = await submitterOf(cluster, { jito: jitoOf(cluster), tip: 2_000n })
  const before = TIP_ACCOUNTS.map((account) => cluster.ledger.balance(account))
  const outcomes = (await Promise.all(rowsOf(30).map((row) => submitter.submit([row])))).flat()
  expect(states(outcomes)).toEqual(Array(30).fill('landed'))
  const tips = TIP_ACCOUNTS.map((account, i) => cluster.ledger.balance(account) - (before[i] ?? 0n))
  expect(tips.reduce((sum, tip) => sum + tip)).toBe(60_000n)
  expect(tips.filter((tip) => tip > 0n).length).toBeGreaterThan(1)
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
})

async function clientOf(cluster: Cluster) {
  const payer = await generateKeyPairSigner()
  cluster.fund(payer.address, 10_000_000_000n)
  const builder = kitBuilder(payer)
  const build = async (count: number, lamports = 1_000n) => {
    const answer = await fetch(cluster.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"getLatestBlockhash","params":[]}',
    })
    const { result } = (await answer.json()) as {
      result: { value: { blockhash: string; lastValidBlockHeight: number } }
    }
    const { blockhash, lastValidBlockHeight } = result.value
    const tip = { lamports, account: TIP_ACCOUNTS[0] as string }
    const context = { blockhash, lastValidBlockHeight: BigInt(lastValidBlockHeight), computeUnitPrice: 0n, tip }
    return builder.build(rowsOf(count), context)
  }
  return { client: new JitoClient({ url: cluster.region().url, perSecond: 100 }), build }
}

test('the client: a bundle’s id is known before, its status by both methods, and x-bundle-id', async () => {
  await using cluster = await startCluster(FAST)
  const { client, build } = await clientOf(cluster)
  expect(await client.getTipAccounts()).toEqual(TIP_ACCOUNTS)
  const bundle = await build(3)
  const id = await client.sendBundle(bundle)
  expect(id).toBe(bundleIdOf(bundle.map(({ signature }) => signature)))
  await until(() => cluster.ledger.memos().size === 3)
  expect(await client.getBundleStatus(id)).toBe('landed')
  const unknown = '0'.repeat(64)
  expect(await client.getBundleStatuses([unknown, id])).toMatchObject([
    undefined,
    {
      bundleId: id,
      signatures: bundle.map(({ signature }) => signature),
      confirmation: expect.stringMatching(/confirmed|processed|finalized/),
    },
  ])
  expect(await client.getInflightBundleStatuses([id, unknown])).toMatchObject([
    { status: 'Landed', landedSlot: expect.any(BigInt) },
    { status: 'Invalid' },
  ])
  expect(await client.getBundleStatus(unknown)).toBe('invalid')
  const [alone] = await build(1)
  const sent = await client.sendTransaction(alone as NonNullable<typeof alone>, { bundleOnly: true })
  expect(sent).toEqual({ signature: alone?.signature, bundleId: bundleIdOf([alone?.signature as string]) })
  client.close()
})

test('the client refuses what the engine would, before it is sent', async () => {
  await using cluster = await startCluster(FAST)
  const { client, build } = await clientOf(cluster)
  const six = await build(6)
  expect((await rejected(client.sendBundle(six))).message).toBe('bundle: expected 1 to 5 transactions, got 6')
  expect((await rejected(client.sendBundle([]))).message).toBe('bundle: expected 1 to 5 transactions, got 0')
  const texts = client.sendBundle(six.slice(0, 1).map(({ base64 }) => base64) as never)
  expect((await rejected(texts)).message).toBe('bundle: base64: expected a string, got undefined')
  expect((await rejected(client.sendTransaction(undefined as never))).code).toBe('VELOX_INVALID_VALUE')
  const typo = client.sendTransaction(six[0] as never, { bundleonly: true } as never)
  expect((await rejected(typo)).code).toBe('VELOX_UNKNOWN_OPTION')
  expect(() => bundleIdOf('abc' as never)).toThrow('signatures: expected an array, got "abc"')
  const cheap = await rejected(client.sendBundle(await build(1, 999n)))
  expect(cheap.message).toBe('tip: expected at least 1000 lamports in the last transaction, got 999n')
  expect((await rejected(client.getBundleStatuses(Array(6).fill('a')))).message).toBe(
    'bundleIds: expected 1 to 5 of them, got 6',
  )
  expect(cluster.requests.count({ server: cluster.region().name })).toBe(0)
  client.close()
})

test.each(['confirmation_status', 'confirmationStatus'])('the client reads a bundle’s %s', async (spelling) => {
  await using cluster = await startCluster({ ...FAST, finalizedSlots: 2 })
  const { client, build } = await clientOf(cluster)
  const id = await client.sendBundle(await build(1))
  client.close()
  await until(() => cluster.ledger.memos().size === 1)
  cluster.tick(4)
  const url = await inFrontOf(cluster.region().url, (method, result) => {
    const text = JSON.stringify(result)
    return method === 'getBundleStatuses' ? JSON.parse(text.replace('confirmation_status', spelling)) : result
  })
  const reader = new JitoClient({ url, perSecond: 100 })
  expect(await reader.getBundleStatuses([id])).toMatchObject([{ bundleId: id, confirmation: 'finalized' }])
  reader.close()
})

test('the engine’s own words are the cause of an error', async () => {
  await using cluster = await startCluster(FAST)
  const { client, build } = await clientOf(cluster)
  const [one] = await build(1)
  const error = await rejected(client.sendBundle([{ ...(one as NonNullable<typeof one>), base64: 'AAAA' }]))
  expect(error).toMatchObject({
    code: 'VELOX_RPC_FAILED',
    context: { method: 'sendBundle', rpcCode: -32602 },
    cause: { message: 'transaction #0 could not be decoded' },
  })
  client.close()
})

test('x-jito-auth is sent, and shown nowhere', async () => {
  const auth = '3c8b8e0a-0000-4000-8000-1234567890ab'
  await using cluster = await startCluster({ ...FAST, jitoPerSecond: 1, jitoAuth: { [auth]: 100 } })
  const client = new JitoClient({ url: cluster.region().url, perSecond: 100, auth })
  for (let i = 0; i < 4; i++) expect(await client.getTipAccounts()).toHaveLength(8)
  const wrong = new JitoClient({
    url: cluster.region().url,
    perSecond: 100,
    auth: '3c8b8e0a-0000-4000-8000-ffffffffffff',
  })
  const error = await rejected(wrong.getTipAccounts())
  expect(`${error.message} ${(error.cause as Error)?.message}`).not.toContain('ffffffff')
  client.close()
  wrong.close()
})

test('a tip by the floor of what landed lately, at most max and at least 1,000', async () => {
  await using cluster = await startCluster({ ...FAST, tips: [10, 5_000, 20_000, 200_000, 1_000_000] })
  const url = cluster.region().tipFloorUrl
  const { signal } = new AbortController()
  expect(await tipFloor({ url, percentile: 50 })({ signal })).toBe(5_000n)
  expect(await tipFloor({ url, percentile: 99 })({ signal })).toBe(1_000_000n)
  const tipOf = async (percentile: 25 | 75, max: bigint) => {
    const tip = { source: tipFloor({ url, percentile }), max }
    const { submitter } = await submitterOf(cluster, { jito: jitoOf(cluster), tip })
    const [outcome] = await submitter.submit(rowsOf(1))
    await submitter.close()
    return cluster.ledger.transaction(outcome?.signatures[0] as string)?.tipLamports
  }
  expect(await tipOf(25, 50_000n)).toBe(1_000n)
  expect(await tipOf(75, 50_000n)).toBe(20_000n)
  expect(await tipOf(75, 15_000n)).toBe(15_000n)
  const error = await rejected(tipFloor({ url: 'http://127.0.0.1:1/x' })({ signal }))
  expect(error).toMatchObject({ code: 'VELOX_RPC_FAILED', context: { method: 'tip floor' } })
})

test('a tip below the minimum is refused when the submitter is made', async () => {
  const template = kitBuilder(await generateKeyPairSigner())
  const made = createSubmitter({
    rpc: 'http://127.0.0.1:1',
    jito: 'http://127.0.0.1:1',
    template,
    limits: { maxLamports: 1n },
    journal: false,
    tip: 999n,
  })
  expect((await rejected(made)).message).toBe('tip: expected a bigint of at least 1000n, got 999n')
})
