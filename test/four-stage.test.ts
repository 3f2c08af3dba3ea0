import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type Report, sample } from 'velox-engine'
import { afterAll, expect, test } from 'vitest'
import { node, root, script, shared } from './support/node.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-four-'))
afterAll(() => rmSync(folder, { recursive: true }))

const fourStage = (...args: string[]) => node([join(root, 'build/examples/four-stage.js'), ...args])

async function reportOf(...args: string[]): Promise<[Report, number | null]> {
  const { stdout, status, stderr } = await fourStage('--json', ...args)
  try {
    return [JSON.parse(stdout) as Report, status]
  } catch {
    throw new Error(`expected a report, got ${stdout}${stderr}`)
  }
}

test('recorded pace ends by itself, verified and balanced', async () => {
  const { status, stdout, stderr } = await fourStage('--seconds', '3')
  expect([status, stdout]).toEqual([0, expect.stringContaining('balanced')])
  expect(stdout).toMatch(/verified: (\d+) of \1 quotes agree/)
  expect(stdout).toContain('end to end, without bundle wait')
  expect(stderr, 'progress').toMatch(/ s {2}replay [\d,]+/)
})

test('at most pace the whole sample goes through', async () => {
  const [report, status] = await reportOf('--pace', 'max')
  expect(status).toBe(0)
  expect(report).toMatchObject({ balanced: true, verified: { checked: 423, agreed: 423 } })
})

test('--report leaves a page or data of the run', async () => {
  const [data, page] = [join(folder, 'out.json'), join(folder, 'out.html')]
  const [report, status] = await reportOf('--pace', 'max', '--report', data)
  expect([JSON.parse(readFileSync(data, 'utf8')), status]).toMatchObject([{ run: 'four-stage', report }, 0])
  expect((await reportOf('--pace', 'max', '--report', page))[1]).toBe(0)
  expect(readFileSync(page, 'utf8')).toContain('<!doctype html>')
})

test('a --report that can not be written is told before the run, and what is there stays until there is one', async () => {
  const { status, stdout, stderr } = await fourStage('--report', join(folder, 'none/out.html'))
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^VELOX_FILE_UNWRITABLE: .*\n$/)
  const old = join(folder, 'old.json')
  writeFileSync(old, 'before')
  expect((await fourStage('--report', old, '--data', join(folder, 'none.gz'))).status).toBe(1)
  expect(readFileSync(old, 'utf8')).toBe('before')
  expect((await fourStage('--report', join(folder, 'new.json'), '--data', join(folder, 'none.gz'))).status).toBe(1)
  expect(existsSync(join(folder, 'new.json'))).toBe(false)
})

const usdm = shared('data/binance/usdm-btcusdt_20240808.gz')
test.skipIf(!usdm)('the whole recorded day makes 629 checks', async () => {
  const [report, status] = await reportOf('--pace', 'max', '--data', usdm as string)
  expect([report.verified?.checked, report.verified?.agreed, status]).toEqual([629, 629, 0])
})

test('a synthetic source of 100,000 a second', async () => {
  const { status, stdout } = await fourStage('--source', 'poisson', '--rate', '100000', '--seconds', '2')
  expect(status).toBe(0)
  expect(stdout).toContain('unverified')
})

test('a wrong book exits 1', async () => {
  const lines = gunzipSync(readFileSync(sample.btcusdt)).toString().split('\n').slice(0, 8_000)
  const write = (name: string, text: string[]) => {
    const path = join(folder, name)
    writeFileSync(path, gzipSync(text.join('\n')))
    return path
  }
  const at = lines.findIndex((line, i) => i > 2_000 && line.includes('"depthUpdate"') && !line.includes('"b":[]'))
  const flipped = lines.with(at, (lines[at] as string).replace('"b":[', '"b":[["99999.90","1.000"],'))
  const [report, status] = await reportOf('--pace', 'max', '--data', write('flipped.gz', flipped))
  expect([report.balanced, status]).toEqual([true, 1])
  const lost = lines.filter((_, i) => i !== at)
  expect((await reportOf('--pace', 'max', '--data', write('lost.gz', lost)))[1]).toBe(1)
  const noSnapshot = lines.filter((line) => !line.includes('lastUpdateId'))
  expect((await reportOf('--pace', 'max', '--data', write('no-snapshot.gz', noSnapshot)))[1]).toBe(1)
  const onlyQuotes = lines.filter((line) => line.includes('bookTicker'))
  expect((await reportOf('--pace', 'max', '--data', write('only-quotes.gz', onlyQuotes)))[1]).toBe(1)
  const noQuotes = lines.filter((line) => !line.includes('bookTicker'))
  const [unverified, fine] = await reportOf('--pace', 'max', '--data', write('no-quotes.gz', noQuotes))
  expect([unverified.verified, fine]).toEqual([undefined, 0])
})

test('a report that can not be written exits 1', async () => {
  const { status } = spawnSync('sh', ['-c', 'node build/examples/four-stage.js --pace max >/dev/full'], { cwd: root })
  expect(status).toBe(1)
})

test('Ctrl-C drains and reports', async () => {
  const ended = await node([join(root, 'build/examples/four-stage.js'), '--json'], {
    during: (kill) => setTimeout(() => kill('SIGINT'), 1_500),
  })
  expect([ended.status, ended.signal]).toEqual([0, null])
  const report = JSON.parse(ended.stdout) as Report
  expect(report.balanced).toBe(true)
  expect(report.stages[0]?.out).toBeGreaterThan(100)
  expect(report.elapsedNanos).toBeLessThan(8e9)
})

test('what it can not do it says in one line', async () => {
  for (const [args, code, text] of [
    [['--paec', 'max'], 'VELOX_UNKNOWN_OPTION', 'did you mean --pace?'],
    [['max'], 'VELOX_UNKNOWN_OPTION', 'max'],
    [['--pace', 'fast'], 'VELOX_INVALID_VALUE', '--pace'],
    [['--rate', '-5', '--source', 'poisson'], 'VELOX_INVALID_VALUE', '--rate'],
    [['--seconds'], 'VELOX_INVALID_VALUE', '--seconds'],
    [['--seconds', '1e9'], 'VELOX_INVALID_VALUE', 'at most'],
    [['--rate', '5'], 'VELOX_INVALID_VALUE', '--rate'],
    [['--source', 'poisson', '--pace', '5'], 'VELOX_INVALID_VALUE', '--pace'],
    [['--report', 'out.pdf'], 'VELOX_INVALID_VALUE', 'a file that ends in .html or .json'],
    [['--data', '/dev/stdin'], 'VELOX_FILE_UNREADABLE', '/dev/stdin'],
    [['--data', 'nope.gz'], 'VELOX_FILE_NOT_FOUND', 'nope.gz'],
    [['--data', fileURLToPath(import.meta.url)], 'VELOX_CORRUPT_DATA', 'line 1: expected'],
  ] as const) {
    const { status, stderr } = await fourStage(...args)
    expect([status, stderr]).toEqual([1, expect.stringContaining(`${code}: `)])
    expect(stderr).toContain(text)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  }
})

test('memory stays flat over the file twenty times', async () => {
  const path = join(folder, 'twenty.gz')
  // Members of a gzip file in a row are one text.
  const once = readFileSync(sample.btcusdt)
  writeFileSync(path, Buffer.concat(Array.from({ length: 20 }, () => once)))
  const { stdout, stderr } = await script(`
    import { count, L2Book, pipeline, replay } from 'velox-engine'
    const market = replay(${JSON.stringify(path)})
    const book = new L2Book({ instrument: market.instrument() })
    const run = await pipeline('p').from(market).book(book, { verify: 'quotes' }).trades().transactions().bundle().to(count()).start()
    const memory = []
    for await (const stats of run.stats({ everyMillis: 50 })) {
      if (stats.stages[3].in > 11_463) memory.push(process.memoryUsage.rss())
    }
    const report = await run.done()
    console.log(JSON.stringify({ trades: report.stages[3].in, samples: memory.length, spread: Math.max(...memory) - Math.min(...memory) }))`)
  const { trades, samples, spread } = JSON.parse(stdout || stderr)
  expect(trades).toBe(20 * 11_463)
  expect(samples).toBeGreaterThan(10)
  expect(spread).toBeLessThan(20 * 2 ** 20)
})
