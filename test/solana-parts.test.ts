// Parts of the submitter that need no network: money in a window, states of an attempt, readers.
import {
  type Blockhash,
  createTransactionMessage,
  generateKeyPairSigner,
  getBase58Decoder,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  type Nonce,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  setTransactionMessageLifetimeUsingDurableNonce,
  signTransactionMessageWithSigners,
} from '@solana/kit'
import fc from 'fast-check'
import { VeloxError } from 'velox-engine'
import { expect, test, vi } from 'vitest'
import { Attempt } from '../dist/solana/attempt.js'
import { BlockhashSource } from '../dist/solana/blockhash.js'
import { breathe } from '../dist/solana/breathe.js'
import type { Pool } from '../dist/solana/net/pool.js'
import { Readers } from '../dist/solana/readers.js'
import { Spending } from '../dist/solana/spending.js'
import { base58Of, wireOf } from '../dist/solana/wire.js'
import { rejected } from './support/errors.js'
import { kitBuilder } from './support/kit-builder.js'

// ---- money

test('a reservation counts until it is settled, and what was spent for a window from then on', () => {
  let now = 0
  const spending = new Spending(100n, 1_000, () => now)
  const held = spending.reserve(60n)
  expect(spending.reserve(50n)).toEqual({ exceeds: 110n })
  now = 5_000
  expect(spending.total).toBe(60n)
  if ('settle' in held) held.settle(40n)
  expect(spending.total).toBe(40n)
  now = 5_999
  expect(spending.total).toBe(40n)
  now = 6_000
  expect(spending.total).toBe(0n)
})

test('never more than the limit is reserved or spent in any window, whatever comes', () => {
  const steps = fc.array(
    fc.record({ wait: fc.nat(400), amount: fc.bigInt(1n, 60n), share: fc.integer({ min: 0, max: 2 }) }),
    { maxLength: 60, size: 'max' },
  )
  fc.assert(
    fc.property(steps, (all) => {
      let now = 0
      const spending = new Spending(100n, 1_000, () => now)
      const spent: { at: number; lamports: bigint }[] = []
      for (const { wait, amount, share } of all) {
        now += wait
        const got = spending.reserve(amount)
        if (!('settle' in got)) continue
        now += wait
        const lamports = (amount * BigInt(share)) / 2n
        got.settle(lamports)
        spent.push({ at: now, lamports })
        const window = spent.filter(({ at }) => at > now - 1_000).reduce((sum, one) => sum + one.lamports, 0n)
        expect(window <= 100n).toBe(true)
      }
    }),
  )
})

test('a jump of the system’s clock ends no window', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    const spending = new Spending(100n, 1_000)
    const held = spending.reserve(80n)
    if ('settle' in held) held.settle(80n)
    vi.setSystemTime(Date.now() + 3_600_000)
    expect(spending.total).toBe(80n)
    vi.setSystemTime(Date.now() - 7_200_000)
    spending.restore([{ at: Date.now() + 3_600_000, lamports: 10n }])
    expect(spending.reserve(20n)).toEqual({ exceeds: 110n })
  } finally {
    vi.useRealTimers()
  }
})

test('a long window of small amounts is not forgotten early, nor kept for long', () => {
  let now = 0
  const spending = new Spending(10n ** 9n, 86_400_000, () => now)
  for (let i = 0; i < 300_000; i++, now += 500) {
    const held = spending.reserve(1n)
    if ('settle' in held) held.settle(1n)
  }
  // A day of two a second, and at most a thousandth more.
  expect(spending.total >= 172_800n && spending.total <= 173_000n).toBe(true)
})

test('what a journal tells counts by its time', () => {
  const spending = new Spending(100n, 1_000, () => 5_000)
  spending.restore([
    { at: 4_500, lamports: 30n },
    { at: 1_000, lamports: 50n },
  ])
  expect(spending.total).toBe(30n)
})

// ---- the newest blockhash

test('a blockhash that is told again grows no younger; a chain that begins anew lower is followed', async () => {
  vi.useFakeTimers()
  try {
    const told = { blockhash: 'a', lastValidBlockHeight: 1_000n }
    const heights: bigint[] = []
    const error = new Error('down')
    let ok = false
    const pool = { ask: async () => ({ ok, result: { ...told }, error }) } as unknown as Pool
    const source = new BlockhashSource(pool, 2_000, (height) => heights.push(height))
    await vi.advanceTimersByTimeAsync(100)
    expect(source.failure).toBe(error)
    ok = true
    await vi.advanceTimersByTimeAsync(15_000)
    expect(source.isFresh).toBe(true)
    await vi.advanceTimersByTimeAsync(10_000)
    // It didn't fail this time: what it once failed of is not why.
    expect([source.isFresh, source.failure]).toEqual([false, undefined])
    told.lastValidBlockHeight = 900n
    await vi.advanceTimersByTimeAsync(2_000)
    expect([source.isFresh, heights]).toEqual([true, [850n, 750n]])
    told.lastValidBlockHeight = 890n
    await vi.advanceTimersByTimeAsync(2_000)
    expect(heights).toEqual([850n, 750n])
    source.close()
  } finally {
    vi.useRealTimers()
  }
})

// ---- the event loop

test('pieces of many works that breathe in between share its turns', async () => {
  const worked = (millis: number) => {
    const end = performance.now() + millis
    while (performance.now() < end);
  }
  let isDone = false
  let turns = 0
  const counting = (async () => {
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
    }
  })()
  const work = async () => {
    for (let piece = 0; piece < 10; piece++) {
      worked(0.1)
      await breathe()
    }
  }
  await Promise.all(Array.from({ length: 50 }, work))
  isDone = true
  await counting
  // 50 ms of work, of which each would take one in a turn for itself, and so all of it.
  expect(turns).toBeGreaterThan(25)
})

// ---- bytes

test('what bytes of a transaction say is what kit says', async () => {
  const payer = await generateKeyPairSigner()
  const blockhash = getBase58Decoder().decode(Uint8Array.from({ length: 32 }, (_, i) => (i < 2 ? 0 : i)))
  const context = { blockhash, lastValidBlockHeight: 1n, computeUnitPrice: 0n }
  const [one] = await kitBuilder(payer).build([{ id: 1 }], context)
  expect(wireOf(one?.base64 as string)).toEqual({ signature: one?.signature, blockhash })
  const legacy = await pipe(
    createTransactionMessage({ version: 'legacy' }),
    (m) => setTransactionMessageFeePayerSigner(payer, m),
    (m) =>
      setTransactionMessageLifetimeUsingBlockhash({ blockhash: blockhash as Blockhash, lastValidBlockHeight: 1n }, m),
    (m) => signTransactionMessageWithSigners(m),
  )
  expect(wireOf(getBase64EncodedWireTransaction(legacy))).toEqual({
    signature: getSignatureFromTransaction(legacy),
    blockhash,
  })
  const nonceAccountAddress = (await generateKeyPairSigner()).address
  const durable = await pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(payer, m),
    (m) => {
      const lifetime = { nonce: blockhash as Nonce, nonceAccountAddress, nonceAuthorityAddress: payer.address }
      return setTransactionMessageLifetimeUsingDurableNonce(lifetime, m)
    },
    (m) => signTransactionMessageWithSigners(m),
  )
  expect(wireOf(getBase64EncodedWireTransaction(durable))).toEqual({
    signature: getSignatureFromTransaction(durable),
    blockhash,
    nonce: { account: nonceAccountAddress, value: blockhash },
  })
  fc.assert(fc.property(fc.base64String({ maxLength: 200, size: 'max' }), (text) => void wireOf(text)))
  expect(wireOf('')).toBe(undefined)
  expect(base58Of(new Uint8Array(32))).toBe('1'.repeat(32))
})

// ---- states

const signed = (signature: string) => ({ signature, base64: '', records: 1, lamports: 5_000n, tipLamports: 0n })
const attempt = (...signatures: string[]) =>
  new Attempt({
    transactions: signatures.map((signature, i) => ({
      ...signed(signature),
      tipLamports: i === signatures.length - 1 ? 1_000n : 0n,
    })),
    lastValidBlockHeight: 150n,
    rows: [],
    bundleId: 'bundle',
    resumed: false,
  })
const seen = (isFinal: boolean, err: unknown = null, slot = 7n) => ({ slot, err, isFinal })

test('built, sent, pending, landed: each once', () => {
  const one = attempt('a')
  expect(one.state.state).toBe('built')
  expect(one.sent('x')).toMatchObject({ state: 'sent', to: 'x' })
  expect(one.sent('x')).toBe(undefined)
  expect(one.seen(0, seen(false))).toMatchObject({ state: 'pending', slot: 7n })
  expect(one.seen(0, seen(false))).toBe(undefined)
  expect(one.seen(0, seen(true))).toMatchObject({ state: 'landed', slot: 7n, spentLamports: 6_000n })
  for (const late of [
    one.seen(0, seen(true)),
    one.gone(0),
    one.sent('x'),
    one.refused(new VeloxError('VELOX_RING_CLOSED', { ring: '' })),
  ])
    expect(late).toBe(undefined)
})

test('a bundle has landed once all of it has', () => {
  const bundle = attempt('a', 'b')
  expect(bundle.seen(0, seen(true))).toMatchObject({ state: 'pending' })
  expect(bundle.seen(1, seen(true, null, 9n))).toMatchObject({ state: 'landed', slot: 9n, spentLamports: 11_000n })
})

test('a part of a bundle that landed without the rest is told, with what it cost', () => {
  const bundle = attempt('a', 'b')
  bundle.seen(0, seen(true))
  expect(bundle.gone(1)).toMatchObject({
    state: 'failed',
    spentLamports: 5_000n,
    error: { code: 'VELOX_BUNDLE_SPLIT', context: { landed: ['a'], missing: ['b'] } },
  })
})

test('an error on chain costs fees and no tip', () => {
  expect(attempt('a').seen(0, seen(true, { InstructionError: [0, 'x'] }))).toMatchObject({
    state: 'failed',
    spentLamports: 5_000n,
    error: { code: 'VELOX_TRANSACTION_FAILED' },
  })
})

test('what was seen with too few votes and is gone has expired', () => {
  const one = attempt('a')
  one.seen(0, seen(false))
  expect(one.gone(0)).toMatchObject({ state: 'expired', lastValidBlockHeight: 150n })
})

// ---- readers

const state = (name: string) => ({ ...attempt('a').state, state: name }) as never

test('a reader gets what comes from its call on, and ends with all of them', async () => {
  const readers = new Readers()
  readers.publish(state('landed'))
  const [ends, all] = [readers.read(false), readers.read(true)]
  for (const name of ['built', 'sent', 'landed']) readers.publish(state(name))
  readers.end()
  const names = async (reader: AsyncIterable<{ state: string }>) => {
    const got: string[] = []
    for await (const { state } of reader) got.push(state)
    return got
  }
  expect([await names(ends), await names(all)]).toEqual([['landed'], ['built', 'sent', 'landed']])
})

test('a reader that is too far behind is told how much it missed', async () => {
  const readers = new Readers()
  const reader = readers.read(true)
  for (let i = 0; i < 65_540; i++) readers.publish(state('sent'))
  for (let i = 0; i < 65_536; i++) await reader.next()
  expect(await rejected(reader.next())).toMatchObject({ code: 'VELOX_READER_BEHIND', context: { lost: 4 } })
})

test('a signal or a return ends a reader that waits', async () => {
  const readers = new Readers()
  const stop = new AbortController()
  const waiting = [readers.read(true, stop.signal).next(), readers.read(true).next()]
  const third = readers.read(true)
  waiting.push(third.next())
  stop.abort()
  await third.return?.()
  expect(await waiting[0]).toEqual({ done: true, value: undefined })
  expect(await waiting[2]).toEqual({ done: true, value: undefined })
  readers.end()
  expect(await waiting[1]).toEqual({ done: true, value: undefined })
})
