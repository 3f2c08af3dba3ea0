// Limits and orders: what stops a submitter, what it says then, and bad input.
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { generateKeyPairSigner } from '@solana/kit'
import { Instrument, L2Book } from 'velox-engine'
import { Feed } from 'velox-engine/feed'
import { createSubmitter, type SubmitterOptions } from 'velox-engine/solana'
import { expect, test } from 'vitest'
import { rejected } from './support/errors.js'
import { kitBuilder } from './support/kit-builder.js'
import { startCluster } from './support/solana/index.js'
import { expectTrue, freshJournal, jitoOf, rowsOf, states, submitterOf } from './support/submitter.js'
import { until } from './support/until.js'

test('more lamports than a window has: the rest is refused, and nothing of it is sent', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter, payer } = await submitterOf(cluster, { limits: { maxLamports: 12_000n } })
  const outcomes = await submitter.submit(rowsOf(4))
  expect(states(outcomes).sort()).toEqual(['failed', 'failed', 'landed', 'landed'])
  for (const outcome of outcomes.filter(({ state }) => state === 'failed'))
    expect(outcome).toMatchObject({
      signatures: [],
      error: { code: 'VELOX_LIMIT_REACHED', context: { limit: 'limits.maxLamports', max: 12_000n, got: 15_000n } },
    })
  expectTrue(cluster, payer.address, submitter, outcomes)
  expect(submitter.stats()).toMatchObject({ refused: 2, built: 2 })
  expect(submitter.metrics.snapshot()).toMatchObject({ processed: 2, dropped: 2 })
  await submitter.close()
})

test('the window holds over a restart', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const journal = freshJournal()
  const limits = { maxLamports: 12_000n }
  const first = await submitterOf(cluster, { limits, journal })
  expect(states(await first.submitter.submit(rowsOf(2)))).toEqual(['landed', 'landed'])
  await first.submitter.close()
  const { submitter } = await submitterOf(cluster, { limits, journal, payer: first.payer })
  expect(submitter.stats().windowLamports).toBe(10_000n)
  expect(await submitter.submit(rowsOf(1, 2))).toMatchObject([
    { state: 'failed', error: { code: 'VELOX_LIMIT_REACHED' } },
  ])
  await submitter.close()
})

test('a tip above the limit is not sent', async () => {
  await using cluster = await startCluster({ slotMillis: 20, jitoPerSecond: 100 })
  const limits = { maxLamports: 10n ** 9n, maxTipLamports: 5_000n }
  const { submitter } = await submitterOf(cluster, { jito: jitoOf(cluster), limits, tip: 5_001n })
  const [outcome] = await submitter.submit(rowsOf(1))
  expect(outcome).toMatchObject({ error: { code: 'VELOX_LIMIT_REACHED', context: { limit: 'limits.maxTipLamports' } } })
  expect(cluster.requests.count({ method: 'sendBundle' })).toBe(0)
  await submitter.close()
})

test('more in flight than allowed: submit is refused', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter } = await submitterOf(cluster, { limits: { maxLamports: 10n ** 9n, maxInFlight: 3 } })
  const first = submitter.submit(rowsOf(2))
  const [second] = await submitter.submit(rowsOf(2, 2))
  expect(second).toMatchObject({ error: { code: 'VELOX_LIMIT_REACHED', context: { max: 3, got: 4 } } })
  expect(states(await first)).toEqual(['landed', 'landed'])
  expect(states(await submitter.submit(rowsOf(3, 4)))).toEqual(Array(3).fill('landed'))
  await submitter.close()
})

test('halt(): nothing is sent from then on; what was sent is watched to its end', async () => {
  await using cluster = await startCluster({ slotMillis: 100 })
  const { submitter, payer } = await submitterOf(cluster, { rpc: { url: cluster.url, perSecond: 1, burst: 5 } })
  const outcomes = submitter.submit(rowsOf(10))
  await until(() => cluster.requests.count({ method: 'sendTransaction' }) === 4)
  submitter.halt('the risk desk called')
  expect(submitter.halted).toBe('the risk desk called')
  const ended = await outcomes
  expect(cluster.requests.count({ method: 'sendTransaction' })).toBe(4)
  const refused = ended.filter(({ state }) => state === 'failed')
  expect(refused).toHaveLength(6)
  for (const outcome of refused)
    expect(outcome).toMatchObject({ error: { code: 'VELOX_SUBMITTER_HALTED' }, spentLamports: 0n })
  expectTrue(cluster, payer.address, submitter, ended)
  expect(await submitter.submit(rowsOf(1, 20))).toMatchObject([{ error: { code: 'VELOX_SUBMITTER_HALTED' } }])
  submitter.resume()
  expect(states(await submitter.submit(rowsOf(1, 20)))).toEqual(['landed'])
  await submitter.close()
})

test('while a book is not live nothing is sent', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const book = new L2Book({ instrument: new Instrument({ symbol: 'BTCUSDT', tick: '0.1', lot: '0.001' }) })
  const { submitter } = await submitterOf(cluster, { limits: { maxLamports: 10n ** 9n, books: [book] } })
  expect(submitter.halted).toBe('the book BTCUSDT is empty')
  expect(await submitter.submit(rowsOf(1))).toMatchObject([
    { error: { code: 'VELOX_SUBMITTER_HALTED', context: { reason: 'the book BTCUSDT is empty' } } },
  ])
  book.apply([{ side: 'bid', price: 100, qty: 1 }], 1)
  expect(book.state).toBe('live')
  expect(states(await submitter.submit(rowsOf(1)))).toEqual(['landed'])
  await submitter.close()
})

test('a book that falls stale by a gap stops what is on its way: it is not sent again until the book is live', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const feed = new Feed({ venue: 'binance-spot', symbols: ['BTCUSDT'] })
  const event = (first: number, last: number) =>
    feed.apply(
      `{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":${first},"u":${last},"b":[["61800.20","1.25"]],"a":[["61800.30","1"]]}`,
    )
  const snapshot = (sequence: number) => feed.snapshot('BTCUSDT', `{"lastUpdateId":${sequence},"bids":[],"asks":[]}`)
  snapshot(7)
  expect([event(8, 8), feed.book('BTCUSDT').state]).toEqual(['applied', 'live'])
  const limits = { maxLamports: 10n ** 9n, books: [feed.book('BTCUSDT')] }
  const { submitter, payer } = await submitterOf(cluster, { limits, resendMillis: 30 })
  const planned = cluster.faults.add({ kind: 'dropTransaction', probability: 1 })
  const sends = () => cluster.requests.count({ method: 'sendTransaction' })
  const outcomes = submitter.submit(rowsOf(2))
  // They are repeated while the book is live.
  await until(() => sends() >= 6)
  expect([event(20, 20), feed.book('BTCUSDT').state]).toEqual(['gap', 'stale'])
  expect(submitter.halted).toBe('the book BTCUSDT is stale')
  // What was on the wire by then comes in.
  await delay(200)
  const before = sends()
  planned.remove()
  const refused = await submitter.submit(rowsOf(1, 2))
  expect(refused).toMatchObject([{ error: { code: 'VELOX_SUBMITTER_HALTED' } }])
  await delay(600)
  expect([sends() - before, submitter.stats().inFlight]).toEqual([0, 2])
  snapshot(20)
  event(21, 21)
  expect(feed.book('BTCUSDT').state).toBe('live')
  const ended = await outcomes
  expect(states(ended)).toEqual(['landed', 'landed'])
  expectTrue(cluster, payer.address, submitter, [...ended, ...refused])
  await submitter.close()
})

test('a dry run simulates and sends nothing, whatever it is', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const to = (await generateKeyPairSigner()).address
  const pays = { to, lamports: ([row]: readonly { id?: unknown }[]) => (row?.id === 1 ? 100_000_000_000n : 1_000_000n) }
  const { submitter, payer } = await submitterOf(cluster, {
    dryRun: true,
    limits: { maxLamports: 10n ** 12n },
    builder: { pays },
  })
  const [fine, wrong] = await submitter.submit(rowsOf(2))
  expect(fine).toMatchObject({ state: 'simulated', unitsConsumed: expect.any(BigInt) })
  expect((fine as unknown as { logs: string[] }).logs.join()).toContain('Memo')
  expect(wrong).toMatchObject({ state: 'failed', spentLamports: 0n, error: { code: 'VELOX_TRANSACTION_FAILED' } })
  expect(cluster.requests.count({ method: 'sendTransaction' })).toBe(0)
  expect(cluster.ledger.landed(payer.address)).toEqual([])
  expect(submitter.stats()).toMatchObject({ simulated: 2, built: 0, windowLamports: 0n })
  await submitter.close()
})

test('a priority fee by what was paid lately, at most max', async () => {
  await using cluster = await startCluster({ slotMillis: 20, priorityFloor: 50_000 })
  const priceOf = async (max: bigint) => {
    const { submitter } = await submitterOf(cluster, { priorityFee: { percentile: 50, max } })
    const [outcome] = await submitter.submit(rowsOf(1))
    await submitter.close()
    return cluster.ledger.transaction(outcome?.signatures[0] as string)?.feeLamports
  }
  // 100,000 units for 0.05 and for 0.02 lamports.
  expect(await priceOf(1_000_000n)).toBe(10_000n)
  expect(await priceOf(20_000n)).toBe(7_000n)
})

test('a builder that throws, or gives too much, is an outcome; others go on', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const payer = await generateKeyPairSigner()
  cluster.fund(payer.address, 10_000_000_000n)
  const kit = kitBuilder(payer)
  const template = {
    ...kit,
    async build(...[rows, context]: Parameters<typeof kit.build>) {
      const [made] = await kit.build(rows, context)
      const signed = made as NonNullable<typeof made>
      if (rows[0]?.['id'] === 0) throw new TypeError('no such account')
      if (rows[0]?.['id'] === 1) return [{ ...signed, base64: 'A'.repeat(2_000) }]
      return rows[0]?.['id'] === 2 ? [] : [signed]
    },
  }
  const { submitter } = await submitterOf(cluster, { template })
  const [thrown, long, none, fine] = await Promise.all([0, 1, 2, 3].map((id) => submitter.submit([{ id }])))
  expect(thrown).toMatchObject([
    { state: 'failed', error: { code: 'VELOX_STAGE_FAILED', cause: { message: 'no such account' } } },
  ])
  expect(thrown?.[0]).toMatchObject({ error: { message: 'the stage submitter failed: no such account' } })
  expect(long).toMatchObject([
    { error: { message: 'build(): expected transactions of at most 1232 bytes, got 1500 bytes' } },
  ])
  expect(none).toMatchObject([{ error: { message: 'build(): expected transactions of all 1 records, got 0 of them' } }])
  expect(fine).toMatchObject([{ state: 'landed' }])
  await submitter.close()
})

test('a builder that never ends, or ends too late, is an outcome, and its place is free again', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const payer = await generateKeyPairSigner()
  cluster.fund(payer.address, 10_000_000_000n)
  const kit = kitBuilder(payer)
  const template = {
    ...kit,
    async build(...[rows, context]: Parameters<typeof kit.build>) {
      const id = Number(rows[0]?.['id'])
      if (id === 0) await new Promise(() => {})
      if (id === 1) await delay(1_200)
      return kit.build(rows, context)
    },
  }
  const limits = { maxLamports: 10n ** 9n, maxInFlight: 1 }
  const { submitter } = await submitterOf(cluster, { template, limits, buildMillis: 800 })
  for (const id of [0, 1]) {
    const [outcome] = await submitter.submit([{ id }])
    expect(outcome).toMatchObject({ state: 'failed', spentLamports: 0n, error: { code: 'VELOX_STAGE_FAILED' } })
    expect((outcome as { error: Error }).error.message).toBe(
      'the stage submitter failed: the builder gave nothing within 800 ms',
    )
  }
  expect(states(await submitter.submit([{ id: 2 }]))).toEqual(['landed'])
  await delay(600)
  expect(cluster.ledger.memos()).toEqual(new Map([['2', 1]]))
  expect(submitter.stats()).toMatchObject({ built: 1, refused: 2, inFlight: 0 })
  await submitter.close()
})

test('a tip source that never ends is asked anew', async () => {
  await using cluster = await startCluster({ slotMillis: 20, jitoPerSecond: 100 })
  let asked = 0
  const source = () => (asked++ === 0 ? new Promise<bigint>(() => {}) : Promise.resolve(2_000n))
  const o = { jito: jitoOf(cluster), tip: { source, max: 5_000n }, buildMillis: 800 }
  const { submitter, payer } = await submitterOf(cluster, o)
  const [never] = await submitter.submit(rowsOf(1))
  expect((never as { error: Error }).error.message).toBe(
    'the stage submitter failed: the tip source gave nothing within 800 ms',
  )
  expect(states(await submitter.submit(rowsOf(1)))).toEqual(['landed'])
  expect(cluster.ledger.spent(payer.address).tipLamports).toBe(2_000n)
  await submitter.close()
})

test('a builder is held to what it says: what it signed could land unseen, or cost more than is counted', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const payer = await generateKeyPairSigner()
  cluster.fund(payer.address, 10_000_000_000n)
  const kit = kitBuilder(payer)
  type Made = Awaited<ReturnType<typeof kit.build>>[number]
  const foreign = (await generateKeyPairSigner()).address
  const wrong: readonly ((one: Made) => Partial<Made>)[] = [
    () => ({ signature: foreign }),
    ({ lamports }) => ({ lamports: -lamports }),
    () => ({ tipLamports: -1n }),
    () => ({ tipLamports: 6_000n }),
    () => ({ records: 0 }),
    () => ({ base64: 'AQID' }),
    () => ({ hasNonce: true }),
  ]
  const template = {
    ...kit,
    async build(...[rows, context]: Parameters<typeof kit.build>) {
      const id = Number(rows[0]?.['id'])
      const own = { ...context, blockhash: foreign as string }
      const [made] = await kit.build(rows, id === 100 ? own : context)
      return [{ ...(made as Made), ...wrong[id]?.(made as Made) }]
    },
  }
  const limits = { maxLamports: 10n ** 9n, maxTipLamports: 5_000n }
  const { submitter } = await submitterOf(cluster, { template, limits })
  const outcomes = await Promise.all([...wrong.keys(), 100].map((id) => submitter.submit([{ id }])))
  expect(
    outcomes.flatMap((of) => of.map((o) => (o as { error?: Error }).error?.message.replace(/\w{32,}/g, '…'))),
  ).toEqual([
    'build(): signature: expected …, got "…"',
    'build(): lamports: expected a bigint of at least 0n, got -5000n',
    'build(): tipLamports: expected a bigint of at least 0n, got -1n',
    expect.stringContaining('limits.maxTipLamports'),
    'build(): records: expected a whole number, 1 or more, got 0',
    'build(): expected whole transactions, got fewer bytes',
    'build(): hasNonce: expected a first instruction that advances a nonce, got another',
    "build(): expected the context's blockhash …, or hasNonce, got …",
  ])
  expect(cluster.requests.count({ method: 'sendTransaction' })).toBe(0)
  expect(submitter.stats()).toMatchObject({ built: 0, refused: 8, windowLamports: 0n })
  await submitter.close()
})

test('a builder that makes more transactions than it said crosses no limit', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const payer = await generateKeyPairSigner()
  cluster.fund(payer.address, 10_000_000_000n)
  const template = { ...kitBuilder(payer), recordsPerTransaction: 4 }
  const { submitter } = await submitterOf(cluster, { template, limits: { maxLamports: 10n ** 9n, maxInFlight: 3 } })
  expect(await submitter.submit(rowsOf(4))).toMatchObject([
    {
      state: 'failed',
      error: { code: 'VELOX_LIMIT_REACHED', context: { limit: 'limits.maxInFlight', max: 3, got: 4 } },
    },
  ])
  expect(states(await submitter.submit(rowsOf(3)))).toEqual(Array(3).fill('landed'))
  expect(states(await submitter.submit(rowsOf(3, 3)))).toEqual(Array(3).fill('landed'))
  await submitter.close()
})

test('two records that make the same transaction would land as one: the second is refused', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter, payer } = await submitterOf(cluster, { blockhashMillis: 10_000 })
  const outcomes = await submitter.submit([{ id: 7 }, { id: 7 }])
  expect(outcomes).toMatchObject([
    { state: 'landed' },
    { state: 'failed', error: { code: 'VELOX_INVALID_VALUE', context: { field: 'records' } } },
  ])
  expect(await submitter.submit([{ id: 7 }])).toMatchObject([
    { state: 'failed', error: { code: 'VELOX_INVALID_VALUE' } },
  ])
  expect(cluster.ledger.memos().get('7')).toBe(1)
  expect(cluster.ledger.spent(payer.address).feeLamports).toBe(submitter.stats().spentLamports)
  submitter.halt()
  expect(states(await submitter.submit([{ id: 8 }]))).toEqual(['failed'])
  submitter.resume()
  expect(states(await submitter.submit([{ id: 8 }]))).toEqual(['landed'])
  await submitter.close()
})

test('an abort ends it at once, and a restart takes up what was on its way', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const stop = new AbortController()
  const journal = freshJournal()
  const { submitter, payer } = await submitterOf(cluster, { journal, signal: stop.signal })
  cluster.faults.add({ kind: 'hang', method: 'sendTransaction', probability: 1 })
  const outcomes = submitter.submit(rowsOf(3))
  await until(() => cluster.requests.count({ method: 'sendTransaction' }) === 3)
  stop.abort()
  expect(await rejected(outcomes)).toMatchObject({ code: 'VELOX_SUBMITTER_CLOSED', context: { open: 3 } })
  expect(await rejected(submitter.submit(rowsOf(1)))).toMatchObject({ code: 'VELOX_SUBMITTER_CLOSED' })
  await submitter.close()
  cluster.faults.clear()
  const again = await submitterOf(cluster, { journal, payer })
  const resumed = again.submitter.outcomes()
  for (let i = 0; i < 3; i++)
    expect((await resumed.next()).value).toMatchObject({ state: 'landed', resumed: true, rows: [] })
  expect([...cluster.ledger.memos().values()]).toEqual([1, 1, 1])
  await again.submitter.close()
  expect(readFileSync(journal, 'utf8').match(/"kind":"built"/g)).toHaveLength(3)
})

test('a close waits no longer than it is told', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter } = await submitterOf(cluster)
  cluster.faults.add({ kind: 'dropTransaction', probability: 1 })
  const outcomes = submitter.submit(rowsOf(1))
  await until(() => submitter.stats().built === 1)
  const start = performance.now()
  await submitter.close({ timeoutMillis: 200 })
  expect(performance.now() - start).toBeLessThan(1_000)
  expect(await rejected(outcomes)).toMatchObject({ code: 'VELOX_SUBMITTER_CLOSED', context: { open: 1 } })
})

const SECRET = 'supersecretkey1234'
const WRONG: readonly [object, string | RegExp][] = [
  [
    { rpc: `not an address ${SECRET}` },
    'rpc.url: expected an address that begins with http:// or https://, got a text that is no address',
  ],
  [
    { rpc: `ftp://x/${SECRET}` },
    'rpc.url: expected an address that begins with http:// or https://, got one that begins with ftp:',
  ],
  [
    { rpc: `http://me:${SECRET}@x/` },
    'rpc.url: expected an address without a password; `headers` takes one, got one with it',
  ],
  [{ rpc: [] }, 'rpc: expected at least one address, got an array of 0'],
  [
    { rpc: { url: 'http://x', ws: 'http://x' } },
    'rpc.ws: expected an address that begins with ws:// or wss://, got one that begins with http:',
  ],
  [{ rpc: { url: 'http://x', perSecond: 0 } }, 'rpc.perSecond: expected a number above 0, got 0'],
  [
    { jito: { url: 'nowhere' } },
    'jito.url: expected an address that begins with http:// or https://, got a text that is no address',
  ],
  [{ template: {} }, 'template: expected a TransactionBuilder, with build(), got an object Object'],
  [{ template: undefined }, 'template: expected a TransactionBuilder, with build(), got undefined'],
  [{ signer: { address: 'another' } }, /^signer: expected the one that the template has, \w+, got another$/],
  [{ limits: {} }, 'limits.maxLamports: expected a bigint of at least 0n, got undefined'],
  [{ limits: { maxLamports: 5 } }, 'limits.maxLamports: expected a bigint of at least 0n, got 5'],
  [
    { limits: { maxLamport: 5n } },
    'maxLamport: expected one of maxLamports, windowMillis, maxTipLamports, maxInFlight, books, got an option that there is not; did you mean maxLamports?',
  ],
  [{ journal: undefined }, 'journal: expected a path, or false for none, got undefined'],
  [{ commitment: 'processed' }, "commitment: expected 'confirmed' or 'finalized', got \"processed\""],
  [{ priorityFee: { percentile: 101, max: 1n } }, 'priorityFee.percentile: expected a number from 0 to 100, got 101'],
  [
    { tip: { source: 5, max: 2_000n } },
    'tip.source: expected a function that gives lamports, such as tipFloor(), got 5',
  ],
  [{ blockhashMillis: 30_000 }, 'blockhashMillis: expected a whole number, 1 to 10000, got 30000'],
  [
    { rpc: { url: 'http://x', timeoutMillis: 2 ** 31 } },
    'rpc.timeoutMillis: expected a whole number, 1 to 2147483647, got 2147483648',
  ],
  [
    { rpc: { url: 'http://x', headers: { authorization: `${SECRET}\n` } } },
    'rpc.headers: expected names and values of HTTP headers, got another',
  ],
  [{ rpc: { url: 'http://x', headers: 'a' } }, 'rpc.headers: expected an object of texts, got a text'],
  [
    { rpc: { url: 'http://x', headers: { a: 5 } } },
    'rpc.headers: expected names and values of HTTP headers, got another',
  ],
  [{ jito: 'http://x/api/v1/bundles' }, 'jito.url: expected an address without /api/v1, got one with it'],
  [
    { jito: { url: 'http://x', auth: `${SECRET}\n` } },
    'jito.auth: expected names and values of HTTP headers, got another',
  ],
  [{ buildMillis: 0 }, 'buildMillis: expected a whole number, 1 to 2147483647, got 0'],
  [{ pollMillis: 0 }, 'pollMillis: expected a whole number, 1 to 2147483647, got 0'],
]
test.each(WRONG)('%o is refused', async (wrong, message) => {
  const template = kitBuilder(await generateKeyPairSigner())
  const right = { rpc: 'http://127.0.0.1:1', template, limits: { maxLamports: 1n }, journal: false } as const
  const error = await rejected(createSubmitter({ ...right, ...wrong } as SubmitterOptions))
  if (typeof message === 'string') expect(error.message).toBe(message)
  else expect(error.message).toMatch(message)
  expect(error.stack).not.toContain(SECRET)
})
