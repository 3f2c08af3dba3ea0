// What protects servers from us, and us from servers: buckets, breakers, backoff, and what an answer means.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { answerOf } from '../dist/solana/net/answer.js'
import { backoffMillis } from '../dist/solana/net/backoff.js'
import { Breaker } from '../dist/solana/net/breaker.js'
import { TokenBucket } from '../dist/solana/net/bucket.js'
import { Endpoint } from '../dist/solana/net/endpoint.js'
import { Pool } from '../dist/solana/net/pool.js'
import { retryAfterMillis } from '../dist/solana/net/retry-after.js'
import {
  accounts,
  epochInfo,
  latestBlockhash,
  prioritizationFees,
  simulation,
  statusesOf,
} from '../dist/solana/net/shapes.js'

describe('a token bucket', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** When each of `count` tokens came, in milliseconds. */
  async function times(bucket: TokenBucket, count: number): Promise<number[]> {
    const start = performance.now()
    const taken: number[] = []
    for (let i = 0; i < count; i++) void bucket.take('send').then(() => taken.push(performance.now() - start))
    await vi.advanceTimersByTimeAsync(60_000)
    return taken
  }

  test('gives its burst at once and the rest by its rate', async () => {
    const taken = await times(new TokenBucket({ perSecond: 10, burst: 3 }), 7)
    expect(taken.map(Math.round)).toEqual([0, 0, 0, 100, 200, 300, 400])
  })

  test('gives nothing while it is paused, and no burst after', async () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3 })
    bucket.pause(1_000)
    expect(bucket.tryTake()).toBe(false)
    expect((await times(bucket, 3)).map((ms) => Math.round(ms / 100))).toEqual([10, 11, 12])
  })

  test('serves statuses and sends by turns, repetitions last', async () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 })
    bucket.tryTake()
    const order: string[] = []
    for (const priority of ['resend', 'send', 'send', 'status', 'status', 'status'] as const)
      void bucket.take(priority).then(() => order.push(priority))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(order).toEqual(['status', 'send', 'status', 'send', 'status', 'resend'])
  })

  test('a pause of nothing gives nothing: what a server says is no token', async () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 })
    bucket.tryTake()
    bucket.pause(0)
    expect(bucket.tryTake()).toBe(false)
    bucket.pause(50)
    expect((await times(bucket, 2)).map(Math.round)).toEqual([100, 200])
  })

  test('a long pause sends away who waits, as another server may have time', async () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 })
    bucket.tryTake()
    const waiting = bucket.take('status')
    bucket.pause(3_600_000)
    expect(await waiting).toBe(false)
  })

  test('a token that was given back serves who waits', async () => {
    const bucket = new TokenBucket({ perSecond: 0.001, burst: 1 })
    bucket.tryTake()
    const taken = bucket.take('send')
    bucket.giveBack()
    expect(await taken).toBe(true)
  })

  test('sends everybody away when it is closed', async () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 })
    bucket.tryTake()
    const waiting = bucket.take('send')
    bucket.close()
    expect(await waiting).toBe(false)
  })
})

describe('a circuit breaker', () => {
  const failing = (breaker: Breaker, times: number) => {
    for (let i = 0; i < times; i++) {
      breaker.admits()
      breaker.failed()
    }
  }

  test('opens at the fifth failure in a row, and lets one through on trial', () => {
    let now = 0
    const breaker = new Breaker(
      () => now,
      () => 1,
    )
    failing(breaker, 4)
    expect(breaker.admits()).toBe(true)
    breaker.failed()
    expect([breaker.isOpen, breaker.admits()]).toEqual([true, false])
    now = 500
    expect([breaker.admits(), breaker.admits()]).toEqual([true, false])
    breaker.failed()
    now = 1_000
    expect(breaker.admits()).toBe(false)
    now = 1_500
    expect(breaker.admits()).toBe(true)
    breaker.succeeded()
    expect([breaker.isOpen, breaker.admits(), breaker.admits()]).toEqual([false, true, true])
  })

  test('what was under way when it opened doesn’t make it wait longer', () => {
    const breaker = new Breaker(
      () => 0,
      () => 1,
    )
    failing(breaker, 5)
    for (let i = 0; i < 100; i++) breaker.failed()
    expect(breaker.isOpen).toBe(true)
    const later = new Breaker(
      () => 501,
      () => 1,
    )
    failing(later, 5)
    expect(later.isOpen).toBe(true)
  })
})

test('a backoff doubles, by chance between half and whole, up to 30 s', () => {
  expect([1, 2, 3, 4].map((n) => backoffMillis(n, () => 1))).toEqual([100, 200, 400, 800])
  expect([1, 2, 3, 4].map((n) => backoffMillis(n, () => 0))).toEqual([50, 100, 200, 400])
  expect(backoffMillis(1_000, () => 1)).toBe(30_000)
})

test('Retry-After: seconds, a date, or the words of the message', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterMillis('2', '', now)).toBe(2_000)
  expect(retryAfterMillis('Thu, 01 Jan 2026 00:00:05 GMT', '', now)).toBe(5_000)
  expect(retryAfterMillis('Wed, 31 Dec 2025 00:00:00 GMT', '', now)).toBe(0)
  expect(retryAfterMillis(null, 'Rate limited. Retry after 1606ms', now)).toBe(1_606)
  expect(retryAfterMillis('soon', 'retry after 2 s', now)).toBe(2_000)
  expect(retryAfterMillis('999999999', '', now)).toBe(3_600_000)
  expect(retryAfterMillis(null, 'no', now)).toBe(undefined)
})

describe('an answer', () => {
  const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    answerOf(
      { url: 'http://node', method: 'm' },
      { status, header: (name) => headers[name], text: typeof body === 'string' ? body : JSON.stringify(body) },
    )
  const kind = (...of: Parameters<typeof answer>) => {
    const got = answer(...of)
    return got.ok ? 'ok' : got.kind
  }
  const error = (code: number, message = 'no') => ({ jsonrpc: '2.0', id: 1, error: { code, message } })

  test.each([
    [200, { result: null }, 'ok'],
    [200, error(-32602), 'refused'],
    [400, error(-32602, 'transaction #0 could not be decoded'), 'refused'],
    [200, error(-32005, 'Node is behind by 200 slots'), 'unknown'],
    [200, error(-32097, 'Network congested. Endpoint is globally rate limited.'), 'throttled'],
    [429, '', 'throttled'],
    [503, 'busy', 'unknown'],
    [502, '<html>', 'unknown'],
    [404, 'not here', 'denied'],
    [401, error(-32401, 'invalid api key'), 'denied'],
    [413, 'too large', 'refused'],
    [200, { result: 1, error: null }, 'ok'],
    [200, '<html>', 'unknown'],
    [200, 'null', 'unknown'],
  ] as const)('%s %j is %s', (status, body, expected) => {
    expect(kind(status, body)).toBe(expected)
  })

  test('keeps the server’s own words, code and data as the cause', () => {
    const got = answer(200, { error: { code: -32002, message: 'Transaction simulation failed', data: { err: 'X' } } })
    expect(got).toMatchObject({
      ok: false,
      rpcCode: -32002,
      data: { err: 'X' },
      error: { code: 'VELOX_RPC_FAILED', cause: { message: 'Transaction simulation failed', code: -32002 } },
    })
  })
})

describe('an endpoint', () => {
  const open: Endpoint[] = []
  async function serving(
    listener: RequestListener,
    path = '',
    headers: Record<string, string> = {},
  ): Promise<Endpoint> {
    const server = createServer(listener).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    server.unref()
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
    const endpoint = new Endpoint({ url, perSecond: 1_000, burst: 1_000, timeoutMillis: 300, headers })
    open.push(endpoint)
    return endpoint
  }
  afterEach(() => {
    for (const endpoint of open.splice(0)) endpoint.close()
  })
  const call = (endpoint: Endpoint) => endpoint.call('m', [], { priority: 'send' })

  test('keys in an address, a query or a header are in no error', async () => {
    const secret = 'abcdef0123456789'
    const auth = '3c8b8e0a-0000-4000-8000-1234567890ab'
    const echo: RequestListener = (request, response) => {
      const told = `no ${request.url} for ${request.headers['x-jito-auth']}`
      response.writeHead(403).end(JSON.stringify({ error: { code: 1, message: told } }))
    }
    const endpoint = await serving(echo, `/v2/${secret}?api-key=${secret}x`, { 'x-jito-auth': auth })
    const answer = await call(endpoint)
    const { error } = answer as { error: Error & { cause: Error; context: object } }
    const all = [
      error.message,
      error.stack,
      error.cause.message,
      JSON.stringify(error.context),
      JSON.stringify(endpoint.stats()),
    ]
    for (const text of all) for (const hidden of [secret, auth]) expect(text).not.toContain(hidden)
    expect(error.message).toContain('no /v2/***')
  })

  test('nor in what a server says besides, in whatever way it is shown', async () => {
    const secret = 'abcdef%2F0123456789'
    const echo: RequestListener = (request, response) => {
      const data = { at: request.url, plain: decodeURIComponent(String(request.url)), err: 'BlockhashNotFound' }
      response.end(JSON.stringify({ error: { code: -32002, message: 'no', data } }))
    }
    const answer = await call(await serving(echo, `/v2/${secret}`))
    expect(answer).toMatchObject({ kind: 'refused', data: { err: 'BlockhashNotFound' } })
    expect(inspect(answer, { depth: 10 })).not.toContain(secret)
    expect(inspect(answer, { depth: 10 })).not.toContain(decodeURIComponent(secret))
  })

  test('a result that is not what it has to be is no answer', async () => {
    const results = [
      null,
      {},
      { context: { slot: 5 }, value: [] },
      { value: [null] },
      { context: { slot: 1.5 }, value: [null] },
    ]
    const statuses = statusesOf(1)
    for (const wrong of results) {
      const endpoint = await serving((_, response) => void response.end(JSON.stringify({ result: wrong })))
      expect(await endpoint.call('m', [], { priority: 'send', read: statuses })).toMatchObject({
        ok: false,
        kind: 'unknown',
      })
    }
    expect(statuses({ context: { slot: 5 }, value: [null] })).toEqual({ slot: 5, statuses: [null] })
    for (const wrong of [null, { value: null }, { value: { blockhash: 'a' } }])
      expect(latestBlockhash(wrong)).toBe(undefined)
    for (const wrong of [null, { blockHeight: 5 }, { absoluteSlot: 2 ** 60, blockHeight: 5 }])
      expect(epochInfo(wrong)).toBe(undefined)
    expect(simulation({ value: { err: null, logs: null } })).toEqual({ err: null, logs: [], units: 0 })
    for (const wrong of [null, {}, { value: {} }]) expect(simulation(wrong)).toBe(undefined)
    expect(prioritizationFees([{ prioritizationFee: 1.5 }])).toBe(undefined)
    expect(accounts([])).toBe(undefined)
  })

  test('of two servers one that holds off for long is not waited for', async () => {
    const off = await serving((_, response) => void response.writeHead(429, { 'retry-after': '600' }).end())
    let asked = 0
    const unwell = await serving((_, response) => {
      asked++
      response.writeHead(500).end()
    })
    const pool = new Pool([off, unwell])
    const ask = () => pool.ask('m', [], { priority: 'status' })
    for (let i = 0; i < 3; i++) expect(await ask()).toMatchObject({ ok: false, kind: 'unknown' })
    expect([off.stats().requests, asked > 0]).toEqual([1, true])
    const later = await serving((_, response) => void response.end('{"result":1}'))
    later.bucket.pause(200)
    expect(await new Pool([off, later]).ask('m', [], { priority: 'status' })).toMatchObject({ ok: true })
  })

  test('a server that does not serve us is left for another one', async () => {
    const denied = await serving((_, response) => void response.writeHead(403).end('no credit'))
    const fine = await serving((_, response) => void response.end('{"result":1}'))
    const pool = new Pool([denied, fine])
    for (let i = 0; i < 12; i++) expect(await pool.ask('m', [], { priority: 'status' })).toMatchObject({ ok: true })
    expect(denied.stats()).toMatchObject({ requests: 5, open: true })
  })

  test('a server that is left alone says what it last failed of', async () => {
    let said = 'no credit'
    const denied = await serving((_, response) => void response.writeHead(403).end(said))
    const ask = () => denied.call('m', [], { priority: 'status' })
    for (let i = 0; i < 4; i++) await ask()
    said = 'no account'
    await ask()
    const answer = await ask()
    if (answer.ok || answer.kind !== 'unsent') throw new Error('it was not left alone')
    expect(answer.error.message).toContain('it failed too often and is left alone for a while, last of: no account')
    expect(answer.error.cause).toMatchObject({
      code: 'VELOX_RPC_FAILED',
      context: { status: 403, reason: 'no account' },
    })
  })

  test('an answer without an end is cut off', async () => {
    const endpoint = await serving((_, response) => {
      const more = () => void response.write('x'.repeat(1 << 20), (error) => error || setImmediate(more))
      more()
    })
    const answer = await call(endpoint)
    expect(answer).toMatchObject({ ok: false, kind: 'unknown' })
  })

  test('a redirect is not followed', async () => {
    const endpoint = await serving((_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end())
    expect(await call(endpoint)).toMatchObject({ ok: false, kind: 'unknown' })
  })

  test('a server that doesn’t answer is given up, and may have acted', async () => {
    const endpoint = await serving(() => {})
    const answer = await call(endpoint)
    expect(answer).toMatchObject({
      ok: false,
      kind: 'unknown',
      error: { context: { reason: 'no answer within 300 ms' } },
    })
  })

  test('nobody there: it was surely not sent', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const endpoint = new Endpoint({ url: `http://127.0.0.1:${port}`, perSecond: 10, burst: 10, timeoutMillis: 300 })
    expect(await call(endpoint)).toMatchObject({ ok: false, kind: 'unsent' })
  })

  test('a 429 holds all of its bucket for as long as it says', async () => {
    let asked = 0
    const endpoint = await serving((_, response) => {
      if (++asked === 1) response.writeHead(429, { 'retry-after': '0.3' }).end()
      else response.end('{"result":1}')
    })
    await call(endpoint)
    const start = performance.now()
    expect(await call(endpoint)).toMatchObject({ ok: true, result: 1 })
    expect(performance.now() - start).toBeGreaterThan(250)
    expect(endpoint.stats()).toMatchObject({ requests: 2, failures: 1, throttled: 1, open: false })
  })

  test('what is not wanted any more when its turn comes is not sent', async () => {
    let asked = 0
    const endpoint = await serving((_, response) => {
      asked++
      response.end('{"result":1}')
    })
    const answer = await endpoint.call('m', [], { priority: 'send', isWanted: () => false })
    expect([answer, asked]).toMatchObject([{ ok: false, kind: 'unsent' }, 0])
  })

  test('why thousands were not sent is one error', async () => {
    const endpoint = await serving((_, response) => void response.end('{"result":1}'))
    const o = { priority: 'resend', isWanted: () => false } as const
    const [first, second] = [await endpoint.call('m', [], o), await endpoint.call('m', [], o)]
    expect(first).toMatchObject({ kind: 'unsent', error: { context: { method: 'm' } } })
    expect(second).toBe(first)
    expect(await endpoint.call('n', [], o)).toMatchObject({ error: { context: { method: 'n' } } })
  })

  test('no more than it has lanes for is under way, and a question doesn’t wait behind what is sent', async () => {
    let under = 0
    let most = 0
    const endpoint = await serving((request, response) => {
      most = Math.max(most, ++under)
      let body = ''
      request.on('data', (data) => {
        body += data
      })
      request.on('end', () => {
        const answer = () => {
          under--
          response.end('{"result":1}')
        }
        if (body.includes('"status"')) answer()
        else setTimeout(answer, 100)
      })
    })
    const sends = Array.from({ length: 100 }, () => call(endpoint))
    const asked = await endpoint.call('status', [], { priority: 'status' })
    expect([asked.ok, under > 0]).toEqual([true, true])
    expect((await Promise.all(sends)).every(({ ok }) => ok)).toBe(true)
    expect([most <= 49, most > 8]).toEqual([true, true])
  })

  test('a close ends what waits and what is under way', async () => {
    const endpoint = await serving(() => {})
    const under = call(endpoint)
    setTimeout(() => endpoint.close(), 50)
    expect(await under).toMatchObject({ ok: false, kind: 'stopped' })
    expect(await call(endpoint)).toMatchObject({ ok: false, kind: 'stopped' })
  })
})
