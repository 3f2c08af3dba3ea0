import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { count, pipeline, poisson, type Run, StageMetrics, VeloxError } from 'velox-engine'
import { serveMetrics } from 'velox-engine/metrics'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rejected } from './support/errors.js'
import { root, script } from './support/node.js'
import { ask, sample, watched } from './support/scrape.js'

let run: Awaited<ReturnType<typeof watched>>
let server: Awaited<ReturnType<typeof serveMetrics>>
beforeAll(async () => {
  run = await watched('served')
  server = await serveMetrics(run, { port: 0 })
})
afterAll(async () => {
  await server.close()
  await run.stop()
})

test('a scrape has what the run counted', async () => {
  await expect.poll(async () => sample((await ask(server.url)).text, 'velox_transactions_total')).toBeGreaterThan(100)
  const { status, headers, text } = await ask(server.url)
  expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  expect(Number(headers['content-length'])).toBe(Buffer.byteLength(text))
  expect(sample(text, 'velox_run_info{run="served"}')).toBe(1)
  expect(sample(text, 'velox_latency_avg_ns')).toBeGreaterThan(0)
  expect(sample(text, 'velox_book_state{book="book",symbol="POISSON",state="live"}')).toBe(1)
  const taken = sample(text, 'velox_stage_in_total{stage="output"}')
  expect(taken).toBeGreaterThan(100)
  expect(sample(text, 'velox_stage_out_total{stage="transactions"}')).toBeGreaterThanOrEqual(taken)
})

test('where nothing else is said it is for this machine alone, on port 9090', async () => {
  const served = await serveMetrics([]).catch((error: unknown) => error as VeloxError)
  if (served instanceof VeloxError)
    expect(served).toMatchObject({ code: 'VELOX_PORT_UNAVAILABLE', context: { host: '127.0.0.1', port: 9090 } })
  else {
    await served.close()
    expect(served.url).toBe('http://127.0.0.1:9090/metrics')
  }
})

test('it answers while this event loop is blocked', async () => {
  const cells = new Int32Array(new SharedArrayBuffer(4))
  // It has asked once before, so that nothing it needs is still to be loaded.
  const other = new Worker(
    `const { parentPort, workerData: { url, cells } } = require('node:worker_threads')
    fetch(url).then((r) => r.text()).then(() => parentPort.postMessage('ready'))
    parentPort.once('message', async () => {
      const text = await (await fetch(url)).text()
      Atomics.store(cells, 0, /velox_run_running 1/.test(text) ? 1 : 2)
      Atomics.notify(cells, 0)
    })`,
    { eval: true, workerData: { url: server.url, cells } },
  )
  await new Promise((resolve) => other.once('message', resolve))
  other.postMessage('go')
  expect(Atomics.wait(cells, 0, 0, 10_000)).not.toBe('timed-out')
  expect(cells[0]).toBe(1)
  await other.terminate()
})

describe('what is asked wrongly', () => {
  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is no method of it', async (method) => {
    const { status, headers } = await ask(server.url, { method })
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD'])
  })

  test('HEAD has the headers alone', async () => {
    const { status, headers, text } = await ask(server.url, { method: 'HEAD' })
    expect([status, text]).toEqual([200, ''])
    expect(Number(headers['content-length'])).toBeGreaterThan(1_000)
  })

  test.each(['/', '/metrics/', '/stop', '//metrics'])('%s is not there', async (path) => {
    const { status } = await ask(new URL(server.url).origin + path)
    expect(status).toBe(404)
  })

  test('a query is looked over', async () => {
    expect((await ask(`${server.url}?name[]=x`)).status).toBe(200)
  })

  test.each(['evil.example', 'evil.example:9090', 'localhost.evil.example', 'a b', '127.0.0.1.evil.example'])(
    'the Host %s is another',
    async (host) => {
      const { status, text } = await ask(server.url, { headers: { host } })
      expect(status).toBe(421)
      expect(text).not.toContain('velox_')
    },
  )

  test.each(['localhost', 'LOCALHOST:1', 'localhost.', '127.0.0.1', '[::1]:9090', '10.0.0.7:9090'])(
    'the Host %s may be meant',
    async (host) => {
      expect((await ask(server.url, { headers: { host } })).status).toBe(200)
    },
  )

  test('every answer has the headers of security', async () => {
    for (const path of ['/metrics', '/']) {
      const { headers } = await ask(new URL(server.url).origin + path)
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      })
      expect(headers).not.toHaveProperty('access-control-allow-origin')
    }
  })

  test('headers beyond 8 kB are refused', async () => {
    const { status } = await ask(server.url, { headers: { 'x-large': 'x'.repeat(9_000) } })
    expect(status).toBe(431)
  })
})

/** A client that sends a text and then nothing; what came, once the server has cut it off. */
function client(text: string): Promise<{ came: string; millis: number }> {
  const { hostname, port } = new URL(server.url)
  const begun = performance.now()
  return new Promise((resolve) => {
    let came = ''
    const socket = connect(Number(port), hostname, () => socket.write(text))
    socket.on('data', (data) => {
      came += data
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve({ came, millis: performance.now() - begun }))
  })
}

test.concurrent.each([
  ['says nothing', '', ''],
  ['sends half a header', 'GET /metrics HTTP/1.1\r\nHost: loc', '408'],
  ['sends half a body', 'POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx', '405'],
  ['asks no more', 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n', '200 OK'],
])('a client that %s is cut off', async (_, text, expected) => {
  const { came, millis } = await client(text)
  expect(came).toContain(expected)
  expect(millis).toBeLessThan(12_000)
})

test.concurrent('a client that asks and never reads is cut off', async () => {
  const { hostname, port } = new URL(server.url)
  const begun = performance.now()
  const socket = connect(Number(port), hostname).pause()
  for (let i = 0; i < 2_000; i++) socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
  // Who doesn't read learns of it by writing.
  const writes = setInterval(() => socket.write('G'), 100)
  await new Promise((resolve) => socket.on('error', resolve).on('close', resolve))
  clearInterval(writes)
  socket.destroy()
  expect(performance.now() - begun).toBeLessThan(20_000)
})

test('of more than 64 clients at once the last are cut off, and the rest served', async () => {
  const { hostname, port } = new URL(server.url)
  const sockets = Array.from({ length: 80 }, () => connect(Number(port), hostname).on('error', () => {}))
  let closed = 0
  for (const socket of sockets) socket.on('close', () => closed++)
  await expect.poll(() => closed, { timeout: 3_000 }).toBeGreaterThanOrEqual(16)
  expect(closed).toBeLessThan(40)
  for (const socket of sockets) socket.destroy()
  await expect.poll(async () => (await ask(server.url).catch(() => undefined))?.status).toBe(200)
})

test('a port in use and hosts that can not be are refused in a sentence', async () => {
  const port = Number(new URL(server.url).port)
  const error = await rejected(serveMetrics(run, { port }))
  expect([error.code, error.message]).toEqual([
    'VELOX_PORT_UNAVAILABLE',
    `127.0.0.1, port ${port}: expected a free port to listen on, got: one that is in use`,
  ])
  const remote = await rejected(serveMetrics(run, { host: '0.0.0.0', port: 0 }))
  expect([remote.code, remote.message]).toEqual([
    'VELOX_INVALID_VALUE',
    'host: expected an address of this machine alone (127.0.0.1, ::1), or allowRemote: true, as who reaches the port reads the metrics, got "0.0.0.0"',
  ])
  const absent = await rejected(serveMetrics(run, { host: '192.0.2.1', port: 0, allowRemote: true }))
  expect(absent.message).toContain('an address that this machine does not have')
})

test.each([
  [{ port: 65_536 }, 'VELOX_INVALID_VALUE', 'port'],
  [{ prot: 9090 }, 'VELOX_UNKNOWN_OPTION', 'port'],
  [{ allowRemote: 1 }, 'VELOX_INVALID_VALUE', 'allowRemote: expected true or false'],
  [{ host: 7 }, 'VELOX_INVALID_VALUE', 'host'],
  [{ names: 'x' }, 'VELOX_INVALID_VALUE', 'names'],
  [{ labels: { 'my-desk': 'a' } }, 'VELOX_INVALID_VALUE', 'a name of letters, digits and _'],
  [{ labels: { stage: 'a' } }, 'VELOX_INVALID_VALUE', 'a name that no other label has'],
  [{ labels: { desk: 7 } }, 'VELOX_INVALID_VALUE', 'labels.desk: expected a string'],
])('%j is refused', async (options, code, text) => {
  const error = await rejected(serveMetrics(run, options as never))
  expect(error.code).toBe(code)
  expect(error.message).toContain(text)
})

test('what is no run is refused', async () => {
  const error = await rejected(serveMetrics({} as Run<never>, { port: 0 }))
  expect(error).toBeInstanceOf(VeloxError)
  expect(error.message).toBe(
    'of: expected what start() of a pipeline gave, or an array of StageMetrics, got an object Object',
  )
})

test('metrics of one’s own are served beside those of a run, or alone', async () => {
  const [risk, router] = [new StageMetrics('risk-check'), new StageMetrics('router "b"')]
  for (const nanos of [150, 3_000_000_000]) risk.recordProcessing(nanos)
  risk.recordError()
  router.recordDrop()
  const own = (name: string, more: string) => `velox_custom_stage_${name}{${more}}`
  const expectOwn = (text: string, labels = '') => {
    const of = (name: string) =>
      ['processed', 'errors', 'dropped'].map((count) => sample(text, own(`${count}_total`, `${labels}stage="${name}"`)))
    expect([of('risk-check'), of('router \\"b\\"')]).toEqual([
      [2, 1, 0],
      [0, 0, 1],
    ])
    const bucket = (le: string) => sample(text, own('latency_seconds_bucket', `${labels}stage="risk-check",le="${le}"`))
    expect([bucket('0.0000001'), bucket('0.0000002'), bucket('2'), bucket('+Inf')]).toEqual([0, 1, 1, 2])
  }
  await using beside = await serveMetrics(run, { port: 0, metrics: [risk, router], labels: { desk: 'a' } })
  const { text } = await ask(beside.url)
  expectOwn(text, 'desk="a",')
  expect(sample(text, 'velox_run_running{desk="a"}')).toBe(1)
  await using alone = await serveMetrics([risk, router], { port: 0 })
  expectOwn((await ask(alone.url)).text)
  risk.recordProcessing(1)
  const again = (await ask(alone.url)).text
  expect(sample(again, own('processed_total', 'stage="risk-check"'))).toBe(3)
  expect(again).not.toContain('velox_run')
})

test('metrics that are none, or of one name, are refused', async () => {
  const refusal = async (of: unknown, metrics?: unknown) =>
    (
      await rejected(
        serveMetrics(of as never, { port: 0, ...(metrics !== undefined && { metrics: metrics as never }) }),
      )
    ).message
  expect(await refusal([{}])).toContain('metrics: expected StageMetrics in the array')
  expect(await refusal(run, 'x')).toContain('metrics: expected an array')
  expect(await refusal([new StageMetrics('a')], [new StageMetrics('a')])).toBe(
    'metrics: expected names that differ, got "a"',
  )
})

test('a remote one answers to its names and carries its labels', async () => {
  const open = { host: '0.0.0.0', port: 0, allowRemote: true, names: ['Engine'], labels: { desk: 'a "b"' } }
  await using remote = await serveMetrics(run, open)
  const url = remote.url.replace('0.0.0.0', '127.0.0.1')
  const { status, text } = await ask(url, { headers: { host: 'engine:9090' } })
  expect(status).toBe(200)
  expect(sample(text, 'velox_run_running{desk="a \\"b\\""}')).toBe(1)
  expect((await ask(url, { headers: { host: 'other' } })).status).toBe(421)
})

test('without metrics there are accounts and no latencies', async () => {
  const source = poisson({ perSecond: 1e6, count: 500 })
  const bare = await pipeline('bare').from(source).trades().to(count('output')).start({ metrics: false })
  await using served = await serveMetrics(bare, { port: 0 })
  await bare.done()
  const { text } = await ask(served.url)
  const names = ['velox_transactions_total', 'velox_latency_avg_ns', 'velox_stage_filtered_total{stage="trades"}']
  expect(names.map((name) => sample(text, name))).toEqual([500, 0, 500])
  expect(text).not.toContain('_bucket')
})

test('the last numbers stay after the end, until it is closed', async () => {
  const short = await watched('short', 2_000)
  const last = await serveMetrics(short, { port: 0 })
  const report = await short.done()
  const { text } = await ask(last.url)
  expect(sample(text, 'velox_run_running')).toBe(0)
  expect(sample(text, 'velox_transactions_total')).toBe(2_000)
  expect(sample(text, 'velox_run_elapsed_seconds')).toBeCloseTo(Number(report.elapsedNanos) / 1e9, 6)
  await Promise.all([last.close(), last.close()])
  await expect(ask(last.url)).rejects.toThrow('ECONNREFUSED')
})

test('it keeps no process alive, and is no reason for one to hang', async () => {
  const url = (file: string) => JSON.stringify(new URL(`file://${root}dist/${file}`).href)
  const { status, stdout, stderr } = await script(
    `import { count, pipeline, poisson } from ${url('index.js')}
    import { serveMetrics } from ${url('metrics/index.js')}
    const run = await pipeline('p').from(poisson({ perSecond: 1e6, count: 10 })).to(count()).start()
    const { url } = await serveMetrics(run, { port: 0 })
    await run.done()
    console.log((await (await fetch(url)).text()).includes('velox_transactions_total 20'))`,
  )
  expect([status, stdout, stderr]).toEqual([0, 'true\n', ''])
})

test('the run is held while it is served', async () => {
  const served = await serveMetrics(await watched('held'), { port: 0 })
  const total = async () => sample((await ask(served.url)).text, 'velox_transactions_total')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 5; i++) {
    collect()
    await delay(20)
  }
  const before = await total()
  await expect.poll(total).toBeGreaterThan(before)
  await served.close()
})
