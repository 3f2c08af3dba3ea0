// `velox run` over modules that export pipelines.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { onTerminal, velox } from './support/engine.js'
import { node, root } from './support/node.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'velox-run-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const index = JSON.stringify(join(root, 'dist/index.js'))

function written(name: string, code: string): string {
  const path = join(folder, name)
  writeFileSync(path, `import * as velox from ${index}\n${code}`)
  return path
}

const run = (...args: string[]) => node([velox, 'run', ...args], { env: { XDG_RUNTIME_DIR: folder } })

const COUNTED = `export default velox.pipeline('counted').from(velox.poisson({ perSecond: 1e6, count: 500, pace: 'max' }))
  .trades().to(velox.count('output'))`

describe('a pipeline', () => {
  test('runs, and its report is printed', async () => {
    const { status, stdout } = await run(written('counted.mjs', COUNTED))
    expect(status).toBe(0)
    expect(stdout).toContain('balanced')
    const json = await run(written('counted.mjs', COUNTED), '--json')
    expect([json.status, json.stderr]).toEqual([0, ''])
    const report = JSON.parse(json.stdout)
    expect([report.balanced, report.stages.at(-1).consumed]).toEqual([true, 500])
  })

  test('without an end gives each record as a line of JSON, and the report beside them', async () => {
    const code = `export default velox.pipeline('open').from(velox.poisson({ perSecond: 1e6, count: 3, pace: 'max' })).trades()`
    const { status, stdout, stderr } = await run(written('open.mjs', code))
    expect(status).toBe(0)
    const records = stdout.trim().split('\n')
    expect(records.map((line) => JSON.parse(line).side)).toHaveLength(3)
    expect(JSON.parse(records[0] as string)).toMatchObject({
      price: expect.any(Number),
      instrument: expect.any(Number),
    })
    expect(stderr).toContain('balanced')
    const json = await run(written('open.mjs', code), '--json')
    expect(json.stdout.trim().split('\n')).toHaveLength(3)
    expect(JSON.parse(json.stderr).balanced).toBe(true)
  })

  test('may be what a function makes of the words', async () => {
    const code = `export default async ([count, other]) => velox.pipeline(other)
      .from(velox.poisson({ perSecond: 1e6, count: Number(count), pace: 'max' })).trades().to(velox.count())`
    const ended = await run(written('made.mjs', code), '7', '--json', '--', '--named')
    expect(JSON.parse(ended.stdout).stages.at(-1).consumed).toBe(7)
  })

  test('is explained without running', async () => {
    const code = `${COUNTED}\nprocess.on('exit', () => console.error(velox.rdtsc() > 0n))`
    const { status, stdout } = await run(written('explained.mjs', code), '--explain', '--threads', '2')
    expect(status).toBe(0)
    expect(stdout).toContain('poisson')
    expect(stdout).not.toContain('balanced')
  })

  test('ends its source after so many seconds, and writes its report where it is told', async () => {
    const code = `export default velox.pipeline('endless').from(velox.poisson({ perSecond: 1000 })).trades().to(velox.count())`
    const page = join(folder, 'page.html')
    const { status, stdout } = await run(written('endless.mjs', code), '--seconds', '0.5', '--report', page, '--json')
    expect(status).toBe(0)
    const { elapsedNanos } = JSON.parse(stdout)
    expect(elapsedNanos).toBeGreaterThan(0.4e9)
    expect(readFileSync(page, 'utf8')).toContain('endless')
  })

  test('on SIGINT drains and reports', async () => {
    const code = `export default () => { setTimeout(() => process.kill(process.pid, 'SIGINT'), 300)
      return velox.pipeline('told').from(velox.poisson({ perSecond: 1000 })).trades().to(velox.count()) }`
    const { status, stdout } = await run(written('told.mjs', code), '--json')
    expect([status, JSON.parse(stdout).balanced]).toEqual([0, true])
  })

  test('that can’t drain is given up at the second SIGINT', async () => {
    const code = `const ring = new velox.RingBuffer(velox.Trade, 64)
      export default () => { const told = setInterval(() => process.kill(process.pid, 'SIGINT'), 400)
      setTimeout(() => clearInterval(told), 1000)
      return velox.pipeline('stuck').from(velox.poisson({ perSecond: 50_000 })).trades().to(ring) }`
    const { status, stderr } = await run(written('stuck.mjs', code), '--json')
    expect([status, stderr]).toEqual([1, 'velox: the run was aborted: told to end a second time\n'])
  })

  test('that fails says of what, and 1', async () => {
    const code = `function * numbers() { yield 1; throw new Error('the well is dry') }
      export default velox.pipeline('dry').from(velox.fromIterable(velox.u32, numbers())).to(velox.discard())`
    const { status, stdout, stderr } = await run(written('dry.mjs', code), '--json')
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toBe('velox: the stage iterable failed: the well is dry\n')
  })

  test('that fails leaves its report all the same', async () => {
    const code = `function * numbers() { yield 1; throw new Error('the well is dry') }
      export default velox.pipeline('dry').from(velox.fromIterable(velox.u32, numbers())).to(velox.discard())`
    const data = join(folder, 'failed.json')
    const { status, stderr } = await run(written('failed.mjs', code), '--report', data)
    expect([status, stderr]).toEqual([1, expect.stringContaining('velox: the stage iterable failed: the well is dry')])
    const { failure, report } = JSON.parse(readFileSync(data, 'utf8'))
    expect(failure).toMatchObject({ code: 'VELOX_STAGE_FAILED', stage: 'iterable' })
    expect(report.stages[0].name).toBe('iterable')
  })

  test('with a report that can not be written is not begun', async () => {
    const code = `export default () => { console.log('begun'); return velox.pipeline('unwritten').from(velox.poisson({ perSecond: 1e6, count: 1 })).to(velox.count()) }`
    const [page, kept] = [join(folder, 'none/page.html'), join(folder, 'kept.html')]
    const module = written('unwritten.mjs', code)
    expect(await run(module, '--report', page)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: `velox: ${page}: expected a file that can be written, got: ENOENT: no such file or directory, open '${page}'\n`,
    })
    writeFileSync(kept, 'of yesterday')
    expect((await run(written('throws.mjs', 'throw new Error()'), '--report', kept)).status).toBe(1)
    expect(readFileSync(kept, 'utf8')).toBe('of yesterday')
  })

  test.skipIf(!existsSync('/usr/bin/script'))('is drawn on a terminal of 80 columns, and q ends it', async () => {
    const code = `export default velox.pipeline('drawn').from(velox.poisson({ perSecond: 1000 })).trades().to(velox.count('output'))`
    const text = await onTerminal(folder, 'run', written('drawn.mjs', code))
    const [, after = ''] = text.split('\x1b[?25h\x1b[?1049l')
    expect(after).toContain('balanced')
    const frames = text.split('\x1b[H').slice(1)
    expect(frames[1]).toContain('drawn')
    expect(frames[1]).toContain('output')
    // Latencies of the time since the frame before, as velox top has them.
    expect(frames[1]?.split('\n').find((row) => row.startsWith('output'))).toMatch(/(\d[nµm]s.*){2}/)
  })
})

describe('a module that is none', () => {
  test.each([
    ['nothing.mjs', 'export const x = 1', 'expected a default export that is a pipeline'],
    [
      'started.mjs',
      `export default await velox.pipeline('x').from(velox.poisson({ perSecond: 1e6, count: 1 })).to(velox.count()).start()`,
      'got a run: leave out start(), velox run starts it',
    ],
    [
      'stage.mjs',
      `export default velox.defineStage(import.meta, { input: velox.Trade, output: velox.Trade, open: () => ({ poll() {} }) })`,
      'got a stage: run the module of the pipeline that has it',
    ],
    ['other.mjs', 'export default () => 42', 'got 42'],
  ])('%s', async (name, code, sentence) => {
    const { status, stderr } = await run(written(name, code))
    expect(status).toBe(1)
    expect(stderr).toContain(sentence)
  })

  test('that is not there', async () => {
    const { status, stderr } = await run(join(folder, 'no.mjs'))
    expect([status, stderr]).toEqual([1, `velox: ${join(folder, 'no.mjs')}: expected a file, got nothing there\n`])
  })

  test('that is a folder', async () => {
    const { status, stderr } = await run(folder)
    expect([status, stderr]).toEqual([
      1,
      `velox: ${folder}: expected a readable file, got: a folder: name its module\n`,
    ])
  })

  test.runIf(process.versions.node.startsWith('20.'))('of TypeScript on Node 20 says what to do', async () => {
    const { status, stderr } = await run(written('typed.ts', COUNTED))
    expect(status).toBe(1)
    expect(stderr).toContain('compile it by tsc first')
    expect(stderr).toContain('Node 22.18 or newer')
  })

  test('that throws by itself shows where', async () => {
    const { status, stderr } = await run(written('broken.mjs', `throw new Error('my own')`))
    expect(status).toBe(1)
    expect(stderr).toMatch(/broken\.mjs[\s\S]*my own/)
  })
})
