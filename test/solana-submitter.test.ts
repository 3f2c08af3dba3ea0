// The submitter against a local Solana: what it says became of records is what the chain's ledger says.
import { setTimeout as delay } from 'node:timers/promises'
import {
  address,
  createNoopSigner,
  createTransactionMessage,
  generateKeyPairSigner,
  type KeyPairSigner,
  setTransactionMessageComputeUnitPrice,
  setTransactionMessageFeePayer,
} from '@solana/kit'
import { getAddMemoInstruction } from '@solana-program/memo'
import { getTransferSolInstruction } from '@solana-program/system'
import { Bundle, BundleBuilder, pipeline, poisson, RingBuffer, record, report, u32, u64 } from 'velox-engine'
import {
  memoTemplate,
  type Outcome,
  SolanaSubmitter,
  type SubmissionState,
  toSolanaTransaction,
  transactionTemplate,
} from 'velox-engine/solana'
import { expect, test } from 'vitest'
import { inFrontOf } from './support/in-front-of.js'
import { type Fault, MEMO_PROGRAM, startCluster } from './support/solana/index.js'
import { expectTrue, keyOf, rowsOf, states, submitterOf } from './support/submitter.js'
import { until } from './support/until.js'

test('records land, once each, and cost what the ledger says', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter, payer } = await submitterOf(cluster, {
    priorityFee: 1_000n,
    builder: { recordsPerTransaction: 3 },
  })
  const all: string[] = []
  const reading = (async () => {
    for await (const { state } of submitter.outcomes({ all: true })) all.push(state)
  })()
  const outcomes = await submitter.submit(rowsOf(20))
  expect(states(outcomes)).toEqual(Array(7).fill('landed'))
  expect(outcomes.flatMap(({ rows }) => rows)).toEqual(rowsOf(20))
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
  await reading
  for (const state of ['built', 'sent', 'landed']) expect(all.filter((one) => one === state)).toHaveLength(7)
  expect(submitter.metrics.snapshot()).toMatchObject({ processed: 7, errors: 0, dropped: 0 })
  const shown: unknown[] = []
  await report([submitter.metrics], { export: (name, { processed }) => void shown.push(name, processed) }).close()
  expect(shown).toEqual(['submitter', 7])
})

test('a pipeline of bundles ends in it, and waits for room', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter, payer } = await submitterOf(cluster, {
    builder: { recordsPerTransaction: 4 },
    limits: { maxLamports: 10_000_000_000n, maxInFlight: 8 },
  })
  const outcomes: Outcome[] = []
  const reading = (async () => {
    for await (const outcome of submitter) outcomes.push(outcome)
  })()
  const run = await pipeline('send')
    .from(poisson({ perSecond: 100_000, count: 200, seed: 7, pace: 'max' }))
    .trades()
    .transactions()
    .bundle()
    .to(submitter)
    .start()
  const { balanced, stages } = await run.done()
  await submitter.close()
  await reading
  const records = stages.find(({ name }) => name === 'transactions')?.out ?? 0
  expect(balanced).toBe(true)
  expect(new Set(states(outcomes))).toEqual(new Set(['landed']))
  expect(outcomes.reduce((sum, o) => sum + o.records, 0)).toBe(records)
  expectTrue(cluster, payer.address, submitter, outcomes)
  expect(submitter.stats().refused).toBe(0)
})

test('a pipeline waits for room even where a bundle is larger than all of it', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter, payer } = await submitterOf(cluster, {
    limits: { maxLamports: 10_000_000_000n, maxInFlight: 3 },
  })
  const outcomes: Outcome[] = []
  const reading = (async () => {
    for await (const outcome of submitter) outcomes.push(outcome)
  })()
  const builder = new BundleBuilder()
  const ring = new RingBuffer(Bundle, 64)
  for (let id = 0; id < 16; id++)
    builder.add({ id, price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 0n }, ring)
  builder.forceFlush(ring)
  ring.close()
  await new SolanaSubmitter(ring, submitter).run(new AbortController().signal)
  await submitter.close()
  await reading
  expect(states(outcomes)).toEqual(Array(16).fill('landed'))
  expectTrue(cluster, payer.address, submitter, outcomes)
})

test('its sink takes bundles and nothing else', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter } = await submitterOf(cluster)
  const trades = pipeline('p')
    .from(poisson({ perSecond: 1, count: 1 }))
    .trades()
  expect(() => trades.to(submitter as never)).toThrow('sink: expected a sink of Trade, got a sink of Bundle')
  await submitter.close()
})

// ---- faults: each ends as it should, and the ledger agrees

const FAULTS: readonly [string, Fault][] = [
  ['429 with Retry-After', { kind: 'tooMany', method: 'sendTransaction', retryAfterSeconds: 1, next: 2 }],
  ['429 without', { kind: 'tooMany', method: 'sendTransaction', next: 2 }],
  ['503', { kind: 'unavailable', method: 'sendTransaction', next: 3 }],
  ['503 for everything', { kind: 'unavailable', next: 4 }],
  ['a hang', { kind: 'hang', method: 'sendTransaction', next: 2 }],
  ['a slow answer', { kind: 'slow', method: 'sendTransaction', delayMillis: 900, next: 3 }],
  ['a reset in the middle of the answer', { kind: 'resetMidBody', method: 'sendTransaction', next: 3 }],
  ['an answer lost after it was accepted', { kind: 'replyLost', method: 'sendTransaction', next: 3 }],
  ['statuses that are not told', { kind: 'replyLost', method: 'getSignatureStatuses', next: 3 }],
  [
    'a node that is unwell',
    { kind: 'rpcError', method: 'sendTransaction', code: -32005, message: 'Node is behind', next: 2 },
  ],
  ['transactions lost on the way to the leader', { kind: 'dropTransaction', next: 3 }],
]

test.each(FAULTS)('%s: all land, once', async (_, fault) => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter, payer } = await submitterOf(cluster, {
    rpc: { url: cluster.url, perSecond: 1_000, timeoutMillis: 500 },
  })
  const planned = cluster.faults.add(fault)
  const outcomes = await submitter.submit(rowsOf(6))
  expect(planned.hits).toBeGreaterThan(0)
  expect(states(outcomes)).toEqual(Array(6).fill('landed'))
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
})

test('a WebSocket that can’t be had is told, and polling finds what landed', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter } = await submitterOf(cluster, {
    rpc: { url: cluster.url, ws: 'ws://127.0.0.1:1/?key=secret', perSecond: 1_000 },
    pollMillis: 50,
  })
  expect(states(await submitter.submit(rowsOf(2)))).toEqual(['landed', 'landed'])
  const told = () => submitter.stats().webSockets
  await until(() => (told()[0]?.failures ?? 0) > 0)
  expect(told()).toMatchObject([{ url: 'ws://127.0.0.1:1', connected: false, connections: 0 }])
  await submitter.close()
})

test('a WebSocket that drops and loses notifications: statuses are asked again after it is back', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  // Polling alone would take longer than the test has.
  const { submitter, payer } = await submitterOf(cluster, {
    rpc: { url: cluster.url, ws: cluster.wsUrl, perSecond: 1_000 },
    pollMillis: 600_000,
  })
  expect(states(await submitter.submit(rowsOf(3)))).toEqual(Array(3).fill('landed'))
  cluster.node().muteWebSockets(600)
  const outcomes = submitter.submit(rowsOf(3, 3))
  await until(() => cluster.ledger.memos().size === 6)
  cluster.node().dropWebSockets()
  expect(states(await outcomes)).toEqual(Array(3).fill('landed'))
  cluster.node().closeWebSockets(1000)
  await until(() => cluster.node().webSockets === 0)
  const told = () => submitter.stats().webSockets[0]
  await until(() => told()?.connected === false)
  await until(() => cluster.node().webSockets === 1, 15_000)
  await until(() => told()?.connected === true)
  expect(told()).toEqual({ url: new URL(cluster.wsUrl).origin, connected: true, connections: 3, failures: 0 })
  expectTrue(cluster, payer.address, submitter, [...(await submitter.submit(rowsOf(1, 6))), ...landedBefore(payer)])
  await submitter.close()
  function landedBefore({ address }: KeyPairSigner): readonly Outcome[] {
    return cluster.ledger
      .landed(address)
      .slice(0, 6)
      .map(({ memos: [id = ''], feeLamports }) => ({
        ...BLANK,
        rows: [{ id: Number(id) }],
        spentLamports: feeLamports,
      }))
  }
})

const BLANK = { state: 'landed', signatures: [], records: 1, resumed: false, slot: 0n } as const

test('a server that crashes and comes back', async () => {
  await using cluster = await startCluster({ slotMillis: 100 })
  const { submitter, payer } = await submitterOf(cluster)
  const first = submitter.submit(rowsOf(4))
  await until(() => submitter.stats().built === 4)
  await cluster.node().crash()
  const second = submitter.submit(rowsOf(4, 4))
  await delay(700)
  await cluster.node().restart()
  const outcomes = [...(await first), ...(await second)]
  expect(states(outcomes)).toEqual(Array(8).fill('landed'))
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
})

test.each(['failOver', 'race'] as const)('of two nodes one is down, %s: the other one takes all', async (send) => {
  await using cluster = await startCluster({ slotMillis: 50, nodes: 2 })
  const rpc = cluster.nodes.map(({ url }) => ({ url, perSecond: 1_000 }))
  const { submitter, payer } = await submitterOf(cluster, { rpc, send })
  expect(states(await submitter.submit(rowsOf(3)))).toEqual(Array(3).fill('landed'))
  const others = cluster.requests.count({ server: 'node-1', method: 'sendTransaction' })
  if (send === 'race') expect(others).toBeGreaterThanOrEqual(3)
  else expect(others).toBe(0)
  await cluster.node(0).crash()
  const outcomes = await submitter.submit(rowsOf(6, 3))
  expect(states(outcomes)).toEqual(Array(6).fill('landed'))
  expect([...cluster.ledger.memos().values()]).toEqual(Array(9).fill(1))
  expect(submitter.stats().spentLamports).toBe(cluster.ledger.spent(payer.address).feeLamports)
  await submitter.close()
})

test('a blockhash that expires: expired, only once a finalized block is past it', async () => {
  await using cluster = await startCluster({ slotMillis: 20, finalizedSlots: 40 })
  const { submitter, payer } = await submitterOf(cluster)
  cluster.faults.add({ kind: 'dropTransaction', probability: 1 })
  const outcomes = submitter.submit(rowsOf(2))
  await until(() => cluster.requests.count({ method: 'sendTransaction' }) >= 2)
  cluster.jump(152)
  await delay(300)
  // Confirmed blocks are past it; finalized ones are not.
  expect(submitter.stats().expired).toBe(0)
  const ended = await outcomes
  expect(states(ended)).toEqual(['expired', 'expired'])
  expectTrue(cluster, payer.address, submitter, ended)
  expect(submitter.stats()).toMatchObject({ expired: 2, windowLamports: 0n })
  await submitter.close()
})

test('a lagging node proves nothing: what landed is not called expired', async () => {
  await using cluster = await startCluster({ slotMillis: 20, nodes: 2, finalizedSlots: 2 })
  const { submitter, payer } = await submitterOf(cluster, {
    rpc: [
      { url: cluster.url, perSecond: 1_000 },
      { url: cluster.node(1).url, perSecond: 1_000 },
    ],
  })
  // One node sees no block from here on; the other one tells blockhashes and heights, and no statuses.
  await until(() => cluster.height > 3)
  cluster.node(0).freeze()
  cluster.faults.add({ kind: 'unavailable', server: 'node-1', method: 'getSignatureStatuses', probability: 1 })
  const outcomes = submitter.submit(rowsOf(3))
  await until(() => cluster.ledger.memos().size === 3)
  cluster.jump(200)
  await delay(500)
  expect(submitter.stats()).toMatchObject({ expired: 0, inFlight: 3 })
  cluster.faults.clear()
  const ended = await outcomes
  expect(states(ended)).toEqual(Array(3).fill('landed'))
  expectTrue(cluster, payer.address, submitter, ended)
  await submitter.close()
})

test('a node that answers half proves nothing, and ends no process', async () => {
  await using cluster = await startCluster({ slotMillis: 20, finalizedSlots: 2 })
  const halves: Record<string, readonly unknown[]> = {
    getSignatureStatuses: [
      null,
      { value: null },
      { context: {}, value: [null] },
      { context: { slot: 1e6 }, value: [] },
    ],
    getEpochInfo: [null, { blockHeight: 1e6 }],
    getLatestBlockhash: [null, { value: {} }],
  }
  let isWhole = true
  const asked = new Map<string, number>()
  const url = await inFrontOf(cluster.url, (method, result) => {
    // From its first transaction on, so that no whole answer tells of it.
    if (method === 'sendTransaction' && asked.size === 0) isWhole = false
    const of = isWhole ? undefined : halves[method]
    if (of === undefined) return result
    const times = asked.get(method) ?? 0
    asked.set(method, times + 1)
    return of[times % of.length]
  })
  const { submitter, payer } = await submitterOf(cluster, {
    rpc: { url, perSecond: 1_000 },
    signAgain: 1,
    blockhashMillis: 50,
  })
  const outcomes = submitter.submit(rowsOf(1))
  await until(() => cluster.ledger.memos().size === 1)
  cluster.jump(200)
  // Each of its answers; a node that answers so is asked ever more rarely.
  const isAsked = () => (asked.get('getSignatureStatuses') ?? 0) >= 4 && (asked.get('getLatestBlockhash') ?? 0) >= 2
  await until(isAsked)
  expect(submitter.stats()).toMatchObject({ built: 1, inFlight: 1, expired: 0 })
  isWhole = true
  const ended = await outcomes
  expect(states(ended)).toEqual(['landed'])
  expectTrue(cluster, payer.address, submitter, ended)
  await submitter.close()
})

test('a node that holds off for an hour keeps nobody from being told an end by another one', async () => {
  await using cluster = await startCluster({ slotMillis: 20, nodes: 2, finalizedSlots: 40 })
  const rpc = cluster.nodes.map(({ url }) => ({ url, perSecond: 1_000 }))
  const { submitter, payer } = await submitterOf(cluster, { rpc })
  cluster.faults.add({ kind: 'dropTransaction', probability: 1 })
  const outcomes = submitter.submit(rowsOf(2))
  await until(() => cluster.requests.count({ method: 'sendTransaction' }) >= 2)
  cluster.faults.add({ kind: 'tooMany', server: 'node-0', retryAfterSeconds: 3_600, probability: 1 })
  cluster.jump(152)
  const ended = await outcomes
  expect(states(ended)).toEqual(['expired', 'expired'])
  expectTrue(cluster, payer.address, submitter, ended)
  await submitter.close()
})

test('what is refused for a while is sent as often as what is repeated, not ever more rarely', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter } = await submitterOf(cluster, { resendMillis: 50 })
  const planned = cluster.faults.add({ kind: 'tooMany', method: 'sendTransaction', retryAfterSeconds: 0, next: 12 })
  const outcomes = submitter.submit(rowsOf(1))
  await until(() => submitter.stats().landed === 1, 10_000)
  expect([planned.hits, states(await outcomes)]).toEqual([12, ['landed']])
  await submitter.close()
})

test('a transaction that fails on chain costs its fee and is told by the chain’s own error', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const to = (await generateKeyPairSigner()).address
  const { submitter, payer } = await submitterOf(cluster, {
    preflight: false,
    limits: { maxLamports: 1_000_000_000_000n },
    builder: { pays: { to, lamports: () => 100_000_000_000n } },
  })
  const [outcome] = await submitter.submit(rowsOf(1))
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'VELOX_TRANSACTION_FAILED' } })
  expect((outcome as { error: Error }).error.message).toContain('InstructionError')
  expect(cluster.ledger.memos().size).toBe(0)
  expect(cluster.ledger.landed(payer.address)).toHaveLength(1)
  expectTrue(cluster, payer.address, submitter, [outcome as Outcome])
  await submitter.close()
})

test.each([1_000_000n, 100_000_000_000n])('a transfer of %d costs what is gone then', async (amount) => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const signer = keyOf()
  const source = createNoopSigner(address(signer.address))
  const to = (await generateKeyPairSigner()).address
  cluster.fund(to, 1_000_000_000n)
  // Without a unit limit: by how many the price is multiplied depends on the programs.
  const template = await transactionTemplate({
    signer,
    record: record('Payout', { id: u32, lamports: u64 }),
    message: setTransactionMessageComputeUnitPrice(
      1n,
      setTransactionMessageFeePayer(source.address, createTransactionMessage({ version: 0 })),
    ),
    each: ({ id, lamports }) => [
      getTransferSolInstruction({ source, destination: to, amount: lamports }),
      getAddMemoInstruction({ memo: 'to be read' }, { programAddress: MEMO_PROGRAM }),
      getTransferSolInstruction({ source, destination: to, amount: id }),
    ],
    tip: false,
  })
  cluster.fund(signer.address, 10_000_000_000n)
  const { submitter } = await submitterOf(cluster, {
    template,
    preflight: false,
    priorityFee: 70_001n,
    limits: { maxLamports: 1_000_000_000_000n },
  })
  const outcomes = await submitter.submit([{ id: 7, lamports: amount }])
  const spent = 10_000_000_000n - cluster.ledger.balance(signer.address)
  expect(states(outcomes)).toEqual([amount > spent ? 'failed' : 'landed'])
  expect(outcomes).toMatchObject([{ spentLamports: spent }])
  expect(submitter.stats()).toMatchObject({ spentLamports: spent, windowLamports: spent })
  await submitter.close()
})

test.each(['first', 'second'])('a node of another chain, named %s, halts before anything is sent', async (place) => {
  await using cluster = await startCluster({ slotMillis: 20 })
  await using other = await startCluster({ slotMillis: 20, seed: 2 })
  // It would prove that all of the first one's has expired.
  other.jump(5_000)
  const urls = place === 'first' ? [other.url, cluster.url] : [cluster.url, other.url]
  const { submitter, payer } = await submitterOf(cluster, {
    rpc: urls.map((url) => ({ url, perSecond: 1_000 })),
    signAgain: 1,
  })
  other.fund(payer.address, 10_000_000_000n)
  await until(() => submitter.halted !== undefined, 10_000)
  expect(submitter.halted).toMatch(/^http:\S+ is of another chain than http:\S+$/)
  for (const url of urls) expect(submitter.halted).toContain(url)
  const outcomes = await submitter.submit(rowsOf(2))
  expect(states(outcomes)).toEqual(['failed'])
  expect(outcomes).toMatchObject([{ error: { code: 'VELOX_SUBMITTER_HALTED' } }])
  expect(submitter.stats().endpoints.filter(({ open }) => open)).toHaveLength(1)
  // Told to go on, it has nodes of one chain.
  submitter.resume()
  expect(states(await submitter.submit(rowsOf(8)))).toEqual(Array(8).fill('landed'))
  const [asked, left] = [cluster, other].map((one) => one.ledger.landed(payer.address).length).toSorted()
  expect([asked, left]).toEqual([0, 8])
  await submitter.close()
})

test('nodes that don’t tell their chain, or are down at first, are asked all the same', async () => {
  await using cluster = await startCluster({ slotMillis: 20, nodes: 3 })
  await cluster.node(2).crash()
  cluster.faults.add({ kind: 'rpcError', method: 'getGenesisHash', server: 'node-1', code: -32601, next: 1 })
  const rpc = cluster.nodes.map(({ url }) => ({ url, perSecond: 1_000 }))
  const { submitter, payer } = await submitterOf(cluster, { rpc })
  expect(states(await submitter.submit(rowsOf(3)))).toEqual(Array(3).fill('landed'))
  await cluster.node(2).restart()
  // It is asked for other things once it has told.
  const asked = (server: string) => cluster.requests.count({ server })
  const told = (server: string) => cluster.requests.count({ server, method: 'getGenesisHash' })
  for (let id = 3; asked('node-2') === told('node-2'); id++) await submitter.submit(rowsOf(1, id))
  expect([told('node-0'), told('node-1'), told('node-2')]).toEqual([1, 1, 1])
  expect(submitter.halted).toBe(undefined)
  expect(cluster.ledger.landed(payer.address).length).toBe(submitter.stats().landed)
  await submitter.close()
})

test('a transaction that a node refuses is failed at once and costs nothing', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const to = (await generateKeyPairSigner()).address
  const { submitter, payer } = await submitterOf(cluster, {
    limits: { maxLamports: 1_000_000_000_000n },
    builder: { pays: { to, lamports: () => 100_000_000_000n } },
  })
  const outcomes = await submitter.submit(rowsOf(1))
  expect(outcomes).toMatchObject([
    { state: 'failed', spentLamports: 0n, error: { code: 'VELOX_RPC_FAILED', context: { rpcCode: -32002 } } },
  ])
  const { error } = outcomes[0] as { error: Error & { cause: Error } }
  expect(error.cause.message).toContain('Transaction simulation failed')
  expectTrue(cluster, payer.address, submitter, outcomes)
  await submitter.close()
})

test('what has expired is signed again where that is asked for, and lands once', async () => {
  await using cluster = await startCluster({ slotMillis: 20, finalizedSlots: 3 })
  const { submitter, payer } = await submitterOf(cluster, { signAgain: 1 })
  const all: SubmissionState[] = []
  const reading = (async () => {
    for await (const state of submitter.outcomes({ all: true })) all.push(state)
  })()
  const planned = cluster.faults.add({ kind: 'dropTransaction', probability: 1 })
  const outcomes = submitter.submit(rowsOf(2))
  await until(() => cluster.requests.count({ method: 'sendTransaction' }) >= 2)
  planned.remove()
  cluster.jump(152)
  const ended = await outcomes
  expect(states(ended)).toEqual(['landed', 'landed'])
  expectTrue(cluster, payer.address, submitter, ended)
  const expired = all.filter(({ state }) => state === 'expired') as {
    replacedBy?: string
    signatures: readonly string[]
  }[]
  expect(expired.map(({ replacedBy }) => replacedBy).sort()).toEqual(ended.map(({ signatures: [s] }) => s).sort())
  expect(ended.map(({ replaces }) => replaces).sort()).toEqual(expired.map(({ signatures: [s] }) => s).sort())
  await submitter.close()
  await reading
})

test('a native template signs for it, and its memo is what toSolanaTransaction says', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const signer = keyOf()
  cluster.fund(signer.address, 10_000_000_000n)
  const { submitter } = await submitterOf(cluster, { template: memoTemplate({ signer, packing: 4 }) })
  const rows = Array.from({ length: 10 }, (_, id) => ({
    id,
    price: 618_003,
    size: 100,
    side: 'ask' as const,
    instrument: 1,
    ingressTsNs: 1_723_118_400_000_000_000n,
  }))
  const outcomes = await submitter.submit(rows)
  expect(states(outcomes)).toEqual(Array(3).fill('landed'))
  const memos = rows.map((row) =>
    toSolanaTransaction(row).instructions.map(({ data }) => new TextDecoder().decode(data)),
  )
  expect(cluster.ledger.memos()).toEqual(new Map(memos.flat().map((memo) => [memo, 1])))
  expect(memos[1]).toEqual(['1,618003,100,ask,1,1723118400000000000'])
  expect(() => toSolanaTransaction({} as never)).toThrow('id: expected a whole number or a bigint, got undefined')
  const { feeLamports } = cluster.ledger.spent(signer.address)
  expect(submitter.stats().spentLamports).toBe(feeLamports)
  await submitter.close()
})

test('the document’s submitter takes bundles from a ring until it is closed', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const signer = keyOf()
  cluster.fund(signer.address, 10_000_000_000n)
  const template = memoTemplate({ signer, packing: 8, tip: false })
  const { submitter } = await submitterOf(cluster, { template, signer })
  const ring = new RingBuffer(Bundle, 64)
  const documents = new SolanaSubmitter(ring, submitter)
  await expect(documents.run(undefined as never)).rejects.toThrow('shutdown: expected an AbortSignal, got undefined')
  const running = documents.run(new AbortController().signal)
  const builder = new BundleBuilder()
  for (let id = 0; id < 20; id++)
    builder.add({ id, price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 0n }, ring)
  builder.forceFlush(ring)
  ring.close()
  await running
  await submitter.close()
  expect(cluster.ledger.memos().size).toBe(20)
})
