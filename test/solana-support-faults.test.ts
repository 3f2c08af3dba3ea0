import { createSolanaRpc, createSolanaRpcSubscriptions, type Signature } from '@solana/kit'
import { expect, test } from 'vitest'
import { type Cluster, type ClusterOptions, spawnCluster, startCluster } from './support/solana/index.js'
import { memo, payer, signed } from './support/solana/kit.js'
import { post } from './support/solana/raw.js'
import { until } from './support/until.js'

async function ready(o: ClusterOptions = {}) {
  const cluster = await startCluster({ slotMillis: 0, ...o })
  const from = await payer(cluster)
  const { value: lifetime } = await createSolanaRpc(cluster.url).getLatestBlockhash({ commitment: 'confirmed' }).send()
  return { cluster, from, lifetime, [Symbol.asyncDispose]: () => cluster.close() }
}

const send = (cluster: Cluster, base64: string, node = 0) =>
  post(cluster.node(node).url, 'sendTransaction', [base64, { encoding: 'base64', preflightCommitment: 'confirmed' }])

const health = (cluster: Cluster) => post(cluster.url, 'getHealth')

test('429 comes with Retry-After where it is wanted and without where it is not, and nothing is done', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64, signature } = await signed(from, lifetime, memo('refused'))
  cluster.faults.add({ kind: 'tooMany', retryAfterSeconds: 2 })
  cluster.faults.add({ kind: 'tooMany' })
  const [first, second] = [await send(cluster, base64), await send(cluster, base64)]
  expect([first.status, first.headers.get('retry-after'), first.error?.code]).toEqual([429, '2', 429])
  expect([second.status, second.headers.get('retry-after')]).toEqual([429, null])
  expect(cluster.pending).toBe(0)
  expect((await send(cluster, base64)).result).toBe(signature)
  expect(cluster.faults.counts).toEqual({ tooMany: 2 })
})

test('503 is no JSON, and nothing is done', async () => {
  await using it = await ready()
  it.cluster.faults.add({ kind: 'unavailable', retryAfterSeconds: 1 })
  const { status, text, headers } = await health(it.cluster)
  expect([status, text, headers.get('retry-after')]).toEqual([503, 'Service Unavailable', '1'])
  expect((await health(it.cluster)).result).toBe('ok')
})

test('a request that hangs is never answered, and nothing is done', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64 } = await signed(from, lifetime, memo('hangs'))
  cluster.faults.add({ kind: 'hang', method: 'sendTransaction' })
  const asked = post(cluster.url, 'sendTransaction', [base64, { encoding: 'base64' }], {
    signal: AbortSignal.timeout(150),
  })
  await expect(asked).rejects.toThrow(/timeout/i)
  expect(cluster.pending).toBe(0)
  expect(cluster.requests.all().at(-1)).toMatchObject({ method: 'sendTransaction', status: 0 })
})

test('a slow answer is a whole one', async () => {
  await using it = await ready()
  it.cluster.faults.add({ kind: 'slow', delayMillis: 120 })
  const startMillis = performance.now()
  expect((await health(it.cluster)).result).toBe('ok')
  expect(performance.now() - startMillis).toBeGreaterThan(115)
})

test.for(['resetMidBody', 'replyLost'] as const)('%s: the connection breaks, and yet it was done', async (kind) => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64, signature } = await signed(from, lifetime, memo('done'))
  cluster.faults.add({ kind, method: 'sendTransaction' })
  await expect(send(cluster, base64)).rejects.toThrow(/fetch failed|terminated/)
  expect(cluster.requests.all({ method: 'sendTransaction' })).toMatchObject([{ status: 0 }])
  cluster.tick()
  expect(cluster.ledger.landed()).toMatchObject([{ signature, memos: ['done'] }])
})

test('any JSON-RPC error can be had', async () => {
  await using it = await ready()
  it.cluster.faults.add({ kind: 'rpcError', code: -32603, message: 'boom', data: { at: 1 } })
  expect((await health(it.cluster)).error).toEqual({ code: -32603, message: 'boom', data: { at: 1 } })
})

test('faults aim at a method and at a server, and end when they are told to', async () => {
  await using it = await ready({ nodes: 2, regions: ['ny'], jitoPerSecond: Infinity })
  const { cluster } = it
  const planned = cluster.faults.add({ kind: 'unavailable', server: 'node-1', method: ['getSlot'], next: 10 })
  const status = async (node: number, method: string) => (await post(cluster.node(node).url, method)).status
  expect([await status(0, 'getSlot'), await status(1, 'getHealth'), await status(1, 'getSlot')]).toEqual([
    200, 200, 503,
  ])
  expect(planned.hits).toBe(1)
  expect(cluster.faults.pending).toBe(9)
  planned.remove()
  expect(await status(1, 'getSlot')).toBe(200)
  cluster.faults.add({ kind: 'unavailable', method: 'GET /api/v1/bundles/tip_floor', server: 'ny' })
  expect((await fetch(cluster.region().tipFloorUrl)).status).toBe(503)
  cluster.faults.add({ kind: 'hang', next: 5 })
  cluster.faults.clear()
  expect(await status(0, 'getSlot')).toBe(200)
})

test('faults by chance are the same by the same seed', async () => {
  const run = async (seed: number) => {
    await using it = await ready({ seed })
    it.cluster.faults.add({ kind: 'unavailable', method: 'getHealth', probability: 0.3 })
    const statuses = []
    for (let n = 0; n < 40; n++) statuses.push((await health(it.cluster)).status)
    return statuses.join()
  }
  const [one, again, other] = [await run(1), await run(1), await run(2)]
  expect(one).toBe(again)
  expect(one).not.toBe(other)
  const hits = one.match(/503/g)?.length ?? 0
  expect(hits).toBeGreaterThan(4)
  expect(hits).toBeLessThan(24)
})

test('a node that lags has old slots, heights, blockhashes and statuses', async () => {
  await using it = await ready({ nodes: 2, unhealthySlots: 15 })
  const { cluster, from, lifetime } = it
  cluster.tick(20)
  const landed = await signed(from, lifetime, memo('seen'))
  await send(cluster, landed.base64)
  cluster.tick(2)
  cluster.node(1).lag(10)
  const rpc = [0, 1].map((node) => createSolanaRpc(cluster.node(node).url)) as [Rpc, Rpc]
  const commitment = 'processed'
  const both = async <T>(ask: (rpc: Rpc) => Promise<T>) => [await ask(rpc[0]), await ask(rpc[1])] as const
  const slots = await both((r) => r.getSlot({ commitment }).send())
  const heights = await both((r) => r.getBlockHeight({ commitment }).send())
  expect([slots[0] - slots[1], heights[0] - heights[1]]).toEqual([10n, 10n])
  const statuses = await both(async (r) => (await r.getSignatureStatuses([landed.signature as Signature]).send()).value)
  expect(statuses).toMatchObject([[{ err: null }], [null]])
  const [newest, old] = await both(async (r) => (await r.getLatestBlockhash({ commitment: 'confirmed' }).send()).value)
  expect(newest.lastValidBlockHeight - old.lastValidBlockHeight).toBe(10n)
  const next = await signed(from, newest, memo('next'))
  expect((await send(cluster, next.base64, 1)).error?.data?.['err']).toBe('BlockhashNotFound')
  expect((await send(cluster, next.base64, 0)).error).toBe(undefined)
  cluster.node(1).lag(15)
  const unhealthy = await post(cluster.node(1).url, 'getHealth')
  expect(unhealthy.error).toEqual({ code: -32005, message: 'Node is behind by 15 slots', data: { numSlotsBehind: 15 } })
  cluster.node(1).lag(0)
  expect((await post(cluster.node(1).url, 'getHealth')).result).toBe('ok')
})

type Rpc = ReturnType<typeof createSolanaRpc>

test('a frozen node falls behind until it is thawed', async () => {
  await using it = await ready({ nodes: 2 })
  const { cluster } = it
  cluster.node(1).freeze()
  cluster.tick(7)
  const slot = async () => (await post(cluster.node(1).url, 'getSlot', [{ commitment: 'processed' }])).result
  expect(await slot()).toBe(cluster.slot - 7)
  cluster.node(1).thaw()
  expect(await slot()).toBe(cluster.slot)
})

/** Listens for a signature until it is notified or the stream ends; tells which. */
async function listen(cluster: Cluster, signature: Signature): Promise<() => string> {
  let heard = 'nothing'
  const stream = await createSolanaRpcSubscriptions(cluster.wsUrl)
    .signatureNotifications(signature, { commitment: 'processed' })
    .subscribe({ abortSignal: AbortSignal.timeout(3000) })
  const read = async () => {
    for await (const { value } of stream) {
      heard = value.err === null ? 'landed' : 'failed'
      return
    }
    heard = 'ended'
  }
  void read().catch(() => {
    heard = 'broken'
  })
  return () => heard
}

test('a dropped WebSocket ends its subscriptions, and what happened meanwhile is not told again', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64, signature } = await signed(from, lifetime, memo('unheard'))
  const heard = await listen(cluster, signature)
  await send(cluster, base64)
  cluster.node().dropWebSockets(60)
  await until(() => heard() === 'broken' || heard() === 'ended')
  cluster.tick()
  await expect(listen(cluster, signature)).rejects.toThrow()
  await new Promise((resolve) => setTimeout(resolve, 70))
  expect(cluster.node().webSockets).toBe(0)
  const again = await listen(cluster, signature)
  await until(() => again() === 'landed')
})

test('a muted WebSocket stays open, and its notifications get lost', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64, signature } = await signed(from, lifetime, memo('muted'))
  const heard = await listen(cluster, signature)
  await send(cluster, base64)
  cluster.node().muteWebSockets(50)
  cluster.tick()
  await new Promise((resolve) => setTimeout(resolve, 70))
  expect([heard(), cluster.node().webSockets, cluster.node().subscriptions]).toEqual(['nothing', 1, 0])
})

test('a closed WebSocket is closed properly', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const heard = await listen(cluster, (await signed(from, lifetime, memo('closed'))).signature)
  cluster.node().closeWebSockets()
  await until(() => heard() === 'broken' || heard() === 'ended')
})

test('a node that crashed comes back on its port, over the chain that went on without it', async () => {
  await using it = await ready()
  const { cluster, from, lifetime } = it
  const { base64, signature } = await signed(from, lifetime, memo('survives'))
  await send(cluster, base64)
  const { url } = cluster
  cluster.faults.add({ kind: 'hang' })
  const hanging = health(cluster)
  const broken = expect(hanging).rejects.toThrow('fetch failed')
  await until(() => cluster.requests.count({ method: 'getHealth' }) === 1)
  await cluster.node().crash()
  await broken
  await expect(health(cluster)).rejects.toThrow('fetch failed')
  cluster.tick()
  await cluster.node().restart()
  expect(cluster.url).toBe(url)
  const { result } = await post(url, 'getSignatureStatuses', [[signature]])
  expect(result).toMatchObject({ value: [{ err: null, slot: cluster.slot }] })
})

test('an RPC limit is a bucket of each node', async () => {
  await using it = await ready({ nodes: 2, rpcPerSecond: 5 })
  const { cluster } = it
  const statuses = []
  for (let n = 0; n < 8; n++) statuses.push((await post(cluster.node(1).url, 'getHealth')).status)
  expect(statuses.slice(0, 5)).toEqual([200, 200, 200, 200, 200])
  expect(statuses).toContain(429)
  expect((await health(cluster)).status).toBe(200)
  expect(cluster.requests.busiest(1000, { server: 'node-1' })).toBe(8)
})

test('a cluster of its own process does the same, is called from outside, and can be killed', async () => {
  const process = await spawnCluster('--slot-millis', '20', '--nodes', '2', '--regions', 'ny,tokyo')
  try {
    expect([process.nodes.length, process.regions.map(({ name }) => name)]).toEqual([2, ['ny', 'tokyo']])
    const url = process.nodes[0]?.url as string
    expect((await post(url, 'getHealth')).result).toBe('ok')
    await process.call('faults.add', { kind: 'unavailable' })
    expect((await post(url, 'getHealth')).status).toBe(503)
    const address = '3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT'
    await process.call('fund', address, 5)
    expect(await process.call('ledger.balance', address)).toBe('10000005')
    await process.call('nodes.1.crash')
    await expect(post(process.nodes[1]?.url as string, 'getHealth')).rejects.toThrow('fetch failed')
    await process.call('nodes.1.restart')
    await process.call('save')
    await process.call('restore')
    expect((await post(process.nodes[1]?.url as string, 'getHealth')).result).toBe('ok')
    await expect(process.call('node', 9)).rejects.toThrow('there is no node 9')
  } finally {
    await process.kill()
  }
  await expect(post(process.nodes[0]?.url as string, 'getHealth')).rejects.toThrow('fetch failed')
})
