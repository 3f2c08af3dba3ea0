// Native threads and the ends of processes, workers and handles: each in a process of its own, so that a crash is seen.
import { expect, test } from 'vitest'
import { script } from './support/node.js'

const SECONDS = Number(process.env['VELOX_SOAK_SECONDS'] ?? 10)

const running = `
  import { Bundle, BundleBuilder, L2Book, RingBuffer, Transaction, VeloxError, pipeline, poisson } from 'velox-engine'
  const endless = (ring, o) => pipeline('p').from(poisson({ perSecond: 200_000 })).trades().transactions().bundle().to(ring).start(o)
`

const fine = { status: 0, signal: null, stderr: '' }

test('process.exit in the middle of a run ends the process, and only that', async () => {
  for (const wait of ['spin', 'block']) {
    const ended = await script(`${running}
      const ring = new RingBuffer(Bundle, 1024)
      await endless(ring, { wait: '${wait}', threads: 2 })
      setTimeout(() => process.exit(7), 100)`)
    expect(ended).toMatchObject({ ...fine, status: 7 })
  }
})

test('a run keeps its process alive, and its end lets it go', async () => {
  const ended = await script(`${running}
    const run = await endless(new RingBuffer(Bundle, 2 ** 17))
    setTimeout(async () => console.log((await run.stop()).balanced), 100)`)
  expect(ended).toMatchObject({ ...fine, stdout: 'true\n' })
})

test('a run whose handles are all collected goes on, and its memory stays', async () => {
  const ended = await script(
    `${running}
    let ring = new RingBuffer(Bundle, 1024)
    const stop = new AbortController()
    const shared = ring.share()
    void (await endless(ring, { stopOn: stop.signal }))
    ring = undefined
    for (let i = 0; i < 20; i++) {
      globalThis.gc()
      new Array(1e6).fill(i)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const reader = RingBuffer.attach(Bundle, shared)
    const before = reader.popMany(2000).length
    await new Promise((resolve) => setTimeout(resolve, 50))
    console.log(before > 0, reader.popMany(2000).length > 0)
    setInterval(() => reader.popMany(2000), 1).unref()
    stop.abort()`,
    '--expose-gc',
  )
  expect(ended).toMatchObject({ ...fine, stdout: 'true true\n' })
})

test('a handle that is collected gives up its side', async () => {
  const ended = await script(
    `${running}
    let ring = new RingBuffer(Transaction, 4)
    ring.push({ id: 1, price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 0 })
    const other = RingBuffer.attach(Transaction, ring.share())
    ring = undefined
    for (let i = 0; i < 100; i++) {
      globalThis.gc()
      await new Promise((resolve) => setTimeout(resolve, 10))
      try {
        other.push({ id: 2, price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 0 })
        break
      } catch {}
    }
    console.log(other.length)`,
    '--expose-gc',
  )
  expect(ended).toMatchObject({ ...fine, stdout: '2\n' })
})

test('terminating a worker in the middle of its run ends its threads before its memory', async () => {
  const ended = await script(`
    import { Worker } from 'node:worker_threads'
    const code = \`
      const { parentPort } = require('node:worker_threads')
      import('velox-engine').then(async ({ Bundle, RingBuffer, pipeline, poisson }) => {
        const ring = new RingBuffer(Bundle, 1024)
        setInterval(() => ring.popMany(2000), 1)
        await pipeline('p').from(poisson({ perSecond: 200_000 })).trades().transactions().bundle().to(ring).start()
        parentPort.postMessage('runs')
      })\`
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(code, { eval: true, execArgv: [] })
      await new Promise((resolve) => worker.once('message', resolve))
      await new Promise((resolve) => setTimeout(resolve, 20))
      await worker.terminate()
    }
    console.log('ended')`)
  expect(ended).toMatchObject({ ...fine, stdout: 'ended\n' })
})

test('a ring that a worker shared outlives the worker', async () => {
  const ended = await script(
    `${running}
    import { Worker } from 'node:worker_threads'
    const code = \`
      const { parentPort } = require('node:worker_threads')
      import('velox-engine').then(({ Transaction, RingBuffer }) => {
        const ring = new RingBuffer(Transaction, 256)
        ring.push({ id: 1, price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 0 })
        ring.release()
        parentPort.postMessage(ring.share())
      })\`
    const worker = new Worker(code, { eval: true, execArgv: [] })
    const shared = await new Promise((resolve) => worker.once('message', resolve))
    const ring = RingBuffer.attach(Transaction, { ...shared })
    await worker.terminate()
    const out = new RingBuffer(Transaction, 256)
    const run = await pipeline('p').from(ring).to(out).start()
    for (let i = 0; i < 10; i++) {
      globalThis.gc()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    ring.close()
    await run.done()
    console.log(out.pop().id)`,
    '--expose-gc',
  )
  expect(ended).toMatchObject({ ...fine, stdout: '1\n' })
})

test(`a script that writes random words over shared rings for ${SECONDS} s ends in VeloxErrors, never in a crash`, async () => {
  const ended = await script(`${running}
    import { internals } from './dist/ring/ring-buffer.js'
    const errors = {}
    const note = (error) => {
      if (!(error instanceof VeloxError)) throw error
      const code = error.code === 'VELOX_STAGE_FAILED' ? error.cause.code : error.code
      errors[code] = (errors[code] ?? 0) + 1
    }
    const tried = (f) => { try { f() } catch (error) { note(error) } }
    const transaction = { id: 1, price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 0 }
    const end = Date.now() + ${SECONDS * 1000}
    let rounds = 0
    while (Date.now() < end) {
      rounds++
      const bundles = new RingBuffer(Bundle, 64)
      const [input, output] = [new RingBuffer(Transaction, 64), new RingBuffer(Transaction, 64)]
      const builder = new BundleBuilder({ max: 2 })
      const runs = []
      runs.push(await pipeline('through').from(input).to(output).start().catch(note))
      runs.push(await pipeline('bundles').from(poisson({ perSecond: 1e6, pace: 'max' })).trades().transactions().bundle().to(bundles).start().catch(note))
      const over = [bundles, input, output].map((ring) => new Uint32Array(internals(ring).buffer))
      const until = Date.now() + 50
      while (Date.now() < until) {
        for (let i = 0; i < 200; i++) {
          const words = over[i % over.length]
          // The header is hit often.
          const at = Math.random() < 0.02 ? Math.floor(Math.random() * 48) : 48 + Math.floor(Math.random() * (words.length - 48))
          words[at] = Math.random() * 2 ** 32
        }
        tried(() => input.push(transaction))
        tried(() => output.popMany(8))
        tried(() => bundles.popMany(8))
        tried(() => builder.add(transaction, bundles))
        tried(() => builder.forceFlush(bundles))
      }
      for (const run of runs) {
        run?.abort('round over')
        await run?.done().catch(note)
      }
    }
    console.log(JSON.stringify({ rounds, errors }))`)
  expect(ended).toMatchObject(fine)
  const { rounds, errors } = JSON.parse(ended.stdout) as { rounds: number; errors: Record<string, number> }
  expect(rounds).toBeGreaterThan(10)
  expect(errors['VELOX_RECORD_INVALID'], ended.stdout).toBeGreaterThan(0)
  expect(errors['VELOX_RING_CORRUPT'], ended.stdout).toBeGreaterThan(0)
})
