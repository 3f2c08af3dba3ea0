// Ends of a run that are not the end of its data are told wherever one reads it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromIterable, pipeline, poisson, RingBuffer, toFile, u32 } from 'velox-engine'
import { expect, test } from 'vitest'
import { expectCode, rejected } from './support/errors.js'

async function* endless() {
  for (let i = 0; ; i++) {
    yield i % 1000
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function read(run: { batches(o?: object): AsyncIterable<{ length: number }> }, each = () => {}, o = {}) {
  for await (const batch of run.batches(o)) if (batch.length > 0) each()
}

test('the loop over batches throws where the source breaks', async () => {
  const run = await pipeline('p')
    .from(fromIterable(u32, [1, 'x' as never]))
    .start()
  const error = await rejected(read(run))
  expect([error.code, (error.cause as { code?: string }).code]).toEqual(['VELOX_STAGE_FAILED', 'VELOX_INVALID_VALUE'])
})

test('the loop over batches throws where the run is aborted, and ends where it is stopped or told to', async () => {
  const run = await pipeline('p').from(fromIterable(u32, endless())).start()
  expect((await rejected(read(run, () => run.abort('enough')))).code).toBe('VELOX_RUN_ABORTED')

  const stopped = await pipeline('p').from(fromIterable(u32, endless())).start()
  await read(stopped, () => void stopped.stop())
  expect((await stopped.done()).balanced).toBe(true)

  const told = await pipeline('p').from(fromIterable(u32, endless())).start()
  const controller = new AbortController()
  await read(told, () => controller.abort(), { signal: controller.signal })
  await told.stop()
})

test('a ring stands once in a pipeline', () => {
  const ring = new RingBuffer(u32, 64)
  expectCode(() => pipeline('p').from(ring).to(ring), 'VELOX_INVALID_VALUE', 'would feed itself')
})

test('a file has one run that writes it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'velox-one-writer-'))
  try {
    for (const name of ['x.csv', 'x.velox']) {
      const path = join(folder, name)
      const of = (source: ReturnType<typeof poisson>) => pipeline('p').from(source).to(toFile(path)).start()
      const start = () => of(poisson({ perSecond: 1e6, count: 500, pace: 'max' }))
      const endless = await of(poisson({ perSecond: 1000 }))
      const error = await rejected(start())
      expect([error.code, error.message.includes('another run that writes it')]).toEqual([
        'VELOX_FILE_UNWRITABLE',
        true,
      ])
      await endless.stop()
      await (await start()).done()
      const whole = readFileSync(path)
      await (await start()).done()
      expect(readFileSync(path).length).toBe(whole.length)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
