import { createHash } from 'node:crypto'
import { createSolanaRpc, generateKeyPairSigner, getBase58Decoder, type KeyPairSigner } from '@solana/kit'
import { expect, test } from 'vitest'
import { type Cluster, type ClusterOptions, startCluster, TIP_ACCOUNTS } from './support/solana/index.js'
import { type Lifetime, memo, payer, signed, tip, transfer } from './support/solana/kit.js'
import { post } from './support/solana/raw.js'

const SOL = 1_000_000_000n

/** A cluster that stands still, with regions that let everything through, and someone with 10 SOL. */
async function ready(o: ClusterOptions = {}) {
  const cluster = await startCluster({ slotMillis: 0, confirmedSlots: 1, jitoPerSecond: Infinity, ...o })
  const from = await payer(cluster)
  const { value: lifetime } = await createSolanaRpc(cluster.url).getLatestBlockhash({ commitment: 'confirmed' }).send()
  return { cluster, from, lifetime, [Symbol.asyncDispose]: () => cluster.close() }
}

const call = (cluster: Cluster, method: string, params: readonly unknown[], region?: string) =>
  post(`${cluster.region(region).url}/api/v1/bundles`, method, params)

const sendBundle = (cluster: Cluster, base64: readonly string[], region?: string) =>
  call(cluster, 'sendBundle', [base64, { encoding: 'base64' }], region)

const inflight = async (cluster: Cluster, id: unknown) =>
  ((await call(cluster, 'getInflightBundleStatuses', [[id]])).result as { value: unknown[] }).value[0]

/** Memos, each a transaction; the last one tips. */
async function memos(from: KeyPairSigner, lifetime: Lifetime, texts: readonly string[], lamports = 1000n) {
  const last = texts.length - 1
  return Promise.all(
    texts.map((text, i) => signed(from, lifetime, memo(text), ...(i === last ? [tip(from, lamports)] : []))),
  )
}

test('a bundle lands as a whole in one block, in its order, under an id that was known before', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const bundle = await memos(from, lifetime, ['a', 'b', 'c', 'd', 'e'])
  const { result: id, status } = await sendBundle(
    cluster,
    bundle.map(({ base64 }) => base64),
  )
  const signatures = bundle.map(({ signature }) => signature)
  expect(id).toBe(createHash('sha256').update(signatures.join()).digest('hex'))
  expect(status).toBe(200)
  expect(await inflight(cluster, id)).toEqual({ bundle_id: id, status: 'Pending', landed_slot: null })
  cluster.tick()
  const { slot } = cluster
  expect(await inflight(cluster, id)).toEqual({ bundle_id: id, status: 'Landed', landed_slot: slot })
  const { result } = await call(cluster, 'getBundleStatuses', [[id, 'f'.repeat(64)]])
  expect(result).toMatchObject({
    context: { slot },
    value: [
      { bundle_id: id, transactions: signatures, slot, confirmation_status: 'processed', err: { Ok: null } },
      null,
    ],
  })
  const landed = cluster.ledger.landed()
  expect(landed.map((entry) => entry.signature)).toEqual(signatures)
  expect(landed.map((entry) => entry.bundleId)).toEqual(Array(5).fill(id))
  expect(cluster.ledger.spent(from.address)).toEqual({ feeLamports: 25_000n, tipLamports: 1000n })
  expect(cluster.ledger.balance(from.address)).toBe(10n * SOL - 26_000n)
})

test('of a bundle with a failing transaction nothing lands, and every account is as it was', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const [fresh, emptied] = [await generateKeyPairSigner(), await payer(cluster, SOL)]
  const bundle = [
    await signed(from, lifetime, transfer(from, fresh.address, SOL), tip(from)),
    await signed(emptied, lifetime, transfer(emptied, from.address, SOL - 5000n)),
    await signed(from, lifetime, transfer(from, fresh.address, 100n * SOL)),
  ]
  const tips = cluster.ledger.balance(TIP_ACCOUNTS[0] as string)
  const { result: id } = await sendBundle(
    cluster,
    bundle.map(({ base64 }) => base64),
  )
  cluster.tick()
  expect(cluster.ledger.landed()).toEqual([])
  expect(await inflight(cluster, id)).toEqual({ bundle_id: id, status: 'Failed', landed_slot: null })
  expect(cluster.ledger.bundles()).toMatchObject([
    { id, state: 'failed', failure: { index: 2, err: { InstructionError: [0, { Custom: 1 }] } } },
  ])
  expect(cluster.ledger.balance(from.address)).toBe(10n * SOL)
  expect(cluster.ledger.balance(emptied.address)).toBe(SOL)
  expect(cluster.ledger.balance(TIP_ACCOUNTS[0] as string)).toBe(tips)
  const { result } = await post(cluster.url, 'getAccountInfo', [fresh.address, { commitment: 'processed' }])
  expect(result).toMatchObject({ value: null })
})

test('a rolled back bundle leaves nothing behind for what lands after it in its block', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const bundle = [
    await signed(from, lifetime, memo('first'), tip(from)),
    await signed(from, lifetime, transfer(from, from.address, 100n * SOL)),
  ]
  const first = bundle[0]?.base64
  await sendBundle(
    cluster,
    bundle.map(({ base64 }) => base64),
  )
  await post(cluster.url, 'sendTransaction', [first, { encoding: 'base64', skipPreflight: true }])
  cluster.tick()
  expect(cluster.ledger.landed()).toMatchObject([{ signature: bundle[0]?.signature, tipLamports: 1000n }])
  expect(cluster.ledger.balance(from.address)).toBe(10n * SOL - 6000n)
})

test('what can be no bundle is refused by HTTP 400 and in the words of the engine', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const one = async (...instructions: Parameters<typeof signed>[2][]) =>
    (await signed(from, lifetime, ...instructions)).base64
  const forged = Buffer.from(await one(tip(from)), 'base64')
  forged[9] = (forged[9] as number) ^ 1
  const nowhere = { blockhash: '4'.repeat(44) as Lifetime['blockhash'], lastValidBlockHeight: 0n }
  const unknown = await signed(from, nowhere, tip(from))
  const six = (await memos(from, lifetime, ['1', '2', '3', '4', '5', '6'])).map(({ base64 }) => base64)
  const twice = await one(tip(from))
  const refusals: [bundle: string[], text: RegExp][] = [
    [[], /^bundle contains no transactions$/],
    [six, /^Bundle exceeded maximum number of transactions$/],
    [[await one(memo('no tip'))], /^Bundles must write lock at least one tip account$/],
    [[await one(tip(from, 999n))], /^bundle tip of 999 lamports is below the minimum of 1000$/],
    [['AAAA'], /^transaction #0 could not be decoded$/],
    [[twice, 'no base64'], /^transaction #1 could not be decoded$/],
    [[forged.toString('base64')], /^transaction \w+ is invalid$/],
    [[twice, twice], /^bundle contains duplicate transactions$/],
    [[unknown.base64], /^bundle contains an invalid blockhash$/],
  ]
  for (const [bundle, text] of refusals) {
    const { status, error } = await sendBundle(cluster, bundle)
    expect({ status, ...error }).toEqual({ status: 400, code: -32602, message: expect.stringMatching(text) })
  }
  expect((await sendBundle(cluster, [twice])).status).toBe(200)
  cluster.tick()
  const again = await sendBundle(cluster, [twice])
  expect(again.error?.message).toBe('bundle contains an already processed transaction')
  const late = await one(memo('late'), tip(from))
  cluster.jump(160)
  expect((await sendBundle(cluster, [late])).error?.message).toBe('bundle contains an expired blockhash')
})

test('a bundle that locks a tip account and tips nothing is accepted, and fails', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64 } = await signed(from, lifetime, tip(from, 0n))
  const { result: id } = await sendBundle(cluster, [base64])
  cluster.tick()
  expect(await inflight(cluster, id)).toMatchObject({ status: 'Failed' })
  expect(cluster.ledger.balance(from.address)).toBe(10n * SOL)
})

test('a region answers one request a second, each for itself, and says how long to wait', async () => {
  await using it = await ready({ regions: ['ny', 'tokyo'], jitoPerSecond: 1 })
  const { cluster } = it
  const ask = (region: string) => call(cluster, 'getTipAccounts', [], region)
  expect((await ask('ny')).result).toEqual(TIP_ACCOUNTS)
  const refused = await ask('ny')
  expect(refused.status).toBe(429)
  const [, wait] =
    /^Rate limit exceeded\. Limit: 1 per second for txn requests\. Back-off triggered: Retry after (\d+)ms$/.exec(
      refused.error?.message ?? '',
    ) as unknown as [string, string]
  expect(refused.error?.code).toBe(-32097)
  expect(Number(wait)).toBeGreaterThan(0)
  expect((await ask('tokyo')).status).toBe(200)
  await new Promise((resolve) => setTimeout(resolve, Number(wait)))
  expect((await ask('ny')).status).toBe(200)
  expect(cluster.requests.all({ server: 'ny' }).map(({ status }) => status)).toEqual([200, 429, 200])
  expect(cluster.requests.busiest(1000, { server: 'tokyo', method: 'getTipAccounts' })).toBe(1)
})

test('who has a key has a limit of its own, and an unknown key is refused', async () => {
  const uuid = '7f0c0a35-2a5f-4a43-9a39-3a2f6d1d2a00'
  await using it = await ready({ jitoPerSecond: 1, jitoAuth: { [uuid]: 3 } })
  const { cluster } = it
  const ask = (key: string) =>
    post(`${cluster.region().url}/api/v1/getTipAccounts`, 'getTipAccounts', [], { headers: { 'x-jito-auth': key } })
  const statuses = []
  for (let n = 0; n < 4; n++) statuses.push((await ask(uuid)).status)
  expect(statuses).toEqual([200, 200, 200, 429])
  expect((await ask('nobody')).status).toBe(401)
})

test('without an encoding transactions are base58', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64 } = await signed(from, lifetime, tip(from))
  const base58 = getBase58Decoder().decode(Buffer.from(base64, 'base64'))
  expect((await call(cluster, 'sendBundle', [[base58]])).status).toBe(200)
  expect((await call(cluster, 'sendBundle', [[base64]])).error?.message).toBe('transaction #0 could not be decoded')
})

test('a single transaction comes with the id of its bundle, and alone in one it lands well or not at all', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const send = (base64: string, query: string) =>
    post(`${cluster.region().url}/api/v1/transactions${query}`, 'sendTransaction', [base64, { encoding: 'base64' }])
  const fails = async (text: string) =>
    signed(from, lifetime, memo(text), tip(from), transfer(from, from.address, 100n * SOL))
  const [reverts, lands] = [await fails('bundle'), await fails('plain')]
  const only = await send(reverts.base64, '?bundleOnly=true')
  expect(only.result).toBe(reverts.signature)
  expect(only.headers.get('x-bundle-id')).toBe(createHash('sha256').update(reverts.signature).digest('hex'))
  expect((await send(lands.base64, '')).result).toBe(lands.signature)
  const untipped = await signed(from, lifetime, memo('untipped'))
  expect((await send(untipped.base64, '?bundleOnly=true')).status).toBe(400)
  cluster.tick()
  expect(cluster.ledger.landed()).toMatchObject([{ signature: lands.signature, err: { InstructionError: [2, {}] } }])
  expect(cluster.ledger.balance(from.address)).toBe(10n * SOL - 5000n)
})

test('a bundle that comes by two regions lands once', async () => {
  await using it = await ready({ regions: ['ny', 'tokyo'] })
  const { cluster, from, lifetime } = it
  const bundle = (await memos(from, lifetime, ['x', 'y'])).map(({ base64 }) => base64)
  const ids = [(await sendBundle(cluster, bundle, 'ny')).result, (await sendBundle(cluster, bundle, 'tokyo')).result]
  expect(ids[0]).toBe(ids[1])
  cluster.tick(3)
  expect(cluster.ledger.memos()).toEqual(
    new Map([
      ['x', 1],
      ['y', 1],
    ]),
  )
  expect(cluster.ledger.dropped()).toEqual([])
})

test('of several bundles the one with the best tip comes first, and the tip floor tells of them', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  for (const lamports of [2000n, 9000n, 4000n])
    await sendBundle(
      cluster,
      (await memos(from, lifetime, [`${lamports}`], lamports)).map(({ base64 }) => base64),
    )
  cluster.tick()
  expect(cluster.ledger.landed().map(({ tipLamports }) => tipLamports)).toEqual([9000n, 4000n, 2000n])
  const [floor] = (await (await fetch(cluster.region().tipFloorUrl)).json()) as [Record<string, number>]
  expect(floor).toMatchObject({ landed_tips_25th_percentile: 2e-6, landed_tips_50th_percentile: 4e-6 })
  expect(floor['ema_landed_tips_50th_percentile']).toBeGreaterThan(0)
})

test('a tip floor can be fixed', async () => {
  await using it = await ready({ tips: [1000, 2000, 3000, 4000, 5000] })
  const [floor] = (await (await fetch(it.cluster.region().tipFloorUrl)).json()) as [Record<string, number>]
  expect(floor).toMatchObject({ landed_tips_95th_percentile: 4e-6, ema_landed_tips_50th_percentile: 2e-6 })
})

test('a bundle that is dropped leaves no trace but its id, and can be sent again', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const bundle = (await memos(from, lifetime, ['again'])).map(({ base64 }) => base64)
  cluster.faults.add({ kind: 'dropBundle' })
  const { result: id, status } = await sendBundle(cluster, bundle)
  expect(status).toBe(200)
  cluster.tick(2)
  expect(await inflight(cluster, id)).toEqual({ bundle_id: id, status: 'Invalid', landed_slot: null })
  expect(cluster.ledger.bundles()).toMatchObject([{ id, state: 'dropped' }])
  expect((await sendBundle(cluster, bundle)).result).toBe(id)
  cluster.tick()
  expect(await inflight(cluster, id)).toMatchObject({ status: 'Landed' })
})

test('methods are where the engine has them, batches are not taken, and five ids are the most', async () => {
  await using it = await ready()
  const { cluster } = it
  const { url } = cluster.region()
  expect((await post(`${url}/api/v1/getTipAccounts`, 'getTipAccounts')).status).toBe(200)
  expect((await post(`${url}/api/v1/transactions`, 'getTipAccounts')).error?.code).toBe(-32601)
  expect((await post(`${url}/api/v1/bundles`, 'sendTransaction', ['A'])).error?.code).toBe(-32601)
  expect((await post(`${url}/api/v2/bundles`, 'getTipAccounts')).status).toBe(404)
  const batch = JSON.stringify([{ jsonrpc: '2.0', id: 1, method: 'getTipAccounts' }])
  expect((await post(`${url}/api/v1/bundles`, '', [], { body: batch })).error?.code).toBe(-32600)
  for (const method of ['getBundleStatuses', 'getInflightBundleStatuses'])
    expect((await call(cluster, method, [Array(6).fill('a')])).error?.code).toBe(-32602)
})
