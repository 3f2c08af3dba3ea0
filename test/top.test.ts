// `velox top` beside engines in processes of their own.
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Sample } from '../dist/cli/sample.js'
import { type Engine, engine, onTerminal, run, watch } from './support/engine.js'

let folder: string
const engines: Engine[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'velox-top-'))
})
afterEach(async () => {
  for (const { child, kill } of engines.splice(0))
    if (child.exitCode === null && child.signalCode === null) await kill()
  rmSync(folder, { recursive: true })
})

async function started(name: string): Promise<Engine> {
  const one = await engine(folder, name)
  engines.push(one)
  return one
}

const sampleIn = (text: string) => JSON.parse(text) as Sample
const files = () => readdirSync(join(folder, 'velox-engine')).map((name) => join(folder, 'velox-engine', name))

async function once(...args: string[]): Promise<Sample> {
  const { status, stdout, stderr } = await run(folder, 'top', '--once', '--json', '--every', '200', ...args)
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout.match(/\n/g)).toHaveLength(1)
  return sampleIn(stdout)
}

describe('one engine', () => {
  test('is found, and its counts grow from one look to the next', async () => {
    const { pid } = await started('alpha')
    const first = await once()
    const second = await once()
    expect(first).toMatchObject({ state: 'running', run: 'alpha', pid })
    expect(first.stages.map(({ name }) => name)).toEqual([
      'poisson',
      'book',
      'trades',
      'transactions',
      'bundle',
      'output',
    ])
    for (const [i, stage] of first.stages.entries()) expect(second.stages[i]?.in).toBeGreaterThan(stage.in)
    for (const [i, edge] of first.edges.entries()) expect(second.edges[i]?.pushed).toBeGreaterThan(edge.pushed)
    expect(second.elapsedNanos).toBeGreaterThan(first.elapsedNanos)
    expect(second.endToEndNanos?.count).toBeGreaterThan(first.endToEndNanos?.count as number)
    expect(second.stages[0]?.inPerSecond).toBeGreaterThan(0)
    expect(second.books).toMatchObject([{ name: 'book', state: 'live' }])
    expect(second.topology.edges.map(({ capacity, whenFull }) => [capacity, whenFull])).toEqual(
      second.edges.map(() => [256, 'block']),
    )
    for (const edge of second.edges) expect(edge.fill).toBe(edge.inFlight / 256)
    // Latencies of the time since the look before, beside those since the start.
    const [now, all] = [second.endToEndNowNanos?.count as number, second.endToEndNanos?.count as number]
    expect(now).toBeGreaterThan(0)
    expect(now).toBeLessThan(all)
    expect(second.stages[5]?.latencyNowNanos?.count).toBeLessThan(second.stages[5]?.latencyNanos?.count as number)
  })

  test('is a table for people, without escape codes where there is no terminal', async () => {
    const { pid } = await started('alpha')
    const { status, stdout, stderr } = await run(folder, 'top', '--once')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`^alpha  pid ${pid}  up `))
    for (const title of ['stage', 'edge', 'latency', 'thread', 'book'])
      expect(stdout).toMatch(new RegExp(`^${title} `, 'm'))
    expect(stdout).toMatch(/^bundle → output +\S+ +\d+ +[\d.]+% +\d+ +- +0$/m)
    expect(stdout).not.toContain('\x1b')
  })

  test.skipIf(!existsSync('/usr/bin/script'))('is drawn in place on a terminal, which q gives back', async () => {
    const { pid } = await started('alpha')
    const text = await onTerminal(folder, 'top', '--every', '100')
    const [before, rest = ''] = text.split('\x1b[?1049h\x1b[?25l')
    const [page = '', after = ''] = rest.split('\x1b[?25h\x1b[?1049l')
    expect(before).toBe('')
    const frames = page.split('\x1b[H').slice(1)
    expect(frames.length).toBeGreaterThanOrEqual(2)
    for (const frame of frames) {
      const lines = stripVTControlCharacters(frame).split('\r\n')
      expect(lines[0]).toMatch(new RegExp(`^alpha  pid ${pid}  up `))
      expect(lines.length).toBeLessThanOrEqual(24)
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80)
    }
    expect(page).toContain('\x1b[1malpha')
    expect(stripVTControlCharacters(after)).toContain('end to end')
  })

  test.skipIf(process.platform !== 'linux')('is only read: its file is mapped without the right to write', async () => {
    const { pid } = await started('alpha')
    const top = watch(folder, 'top', '--json', '--every', '100')
    await top.until(sampleIn, (sample) => sample.pid === pid)
    const mapped = readFileSync(`/proc/${top.pid}/maps`, 'utf8').split('\n')
    const own = mapped.filter((line) => line.endsWith(files()[0] as string))
    expect(own.map((line) => line.split(' ')[1])).toEqual(['r--s'])
    expect(await top.end('SIGINT')).toBe(0)
    expect((await once()).state).toBe('running')
  })

  test('that ends is said to have ended, and is followed into its next run', async () => {
    const first = await started('alpha')
    const top = watch(folder, 'top', '--json', '--every', '100')
    await top.until(sampleIn, ({ stages }) => (stages[5]?.in ?? 0) > 0)
    await first.stop()
    const last = await top.until(sampleIn, ({ state }) => state !== 'running')
    expect(last).toMatchObject({ state: 'ended', outcome: 'done', pid: first.pid })
    const second = await started('alpha')
    await started('beta')
    const anew = await top.until(sampleIn, () => true)
    expect(anew).toMatchObject({ state: 'running', run: 'alpha', pid: second.pid })
    await top.until(
      sampleIn,
      ({ pid, stages }) => pid === second.pid && (stages[0]?.in ?? 0) > (anew.stages[0]?.in ?? 0),
    )
    expect(await top.end('SIGTERM')).toBe(0)
  })

  test('that is killed is said to be gone; its file is left out, and the next run is found', async () => {
    const first = await started('alpha')
    const top = watch(folder, 'top', 'alpha', '--json', '--every', '100')
    await top.until(sampleIn, ({ pid }) => pid === first.pid)
    await first.kill()
    const last = await top.until(sampleIn, ({ state }) => state !== 'running')
    expect(last).toMatchObject({ state: 'gone', pid: first.pid })
    expect(last.message).toContain(`process ${first.pid} of ${files()[0]} is gone`)

    const none = await run(folder, 'top', '--once')
    expect([none.status, none.stdout]).toEqual([1, ''])
    expect(none.stderr).toBe(
      `velox top: left out: ${last.message}\nvelox top: expected a running engine, got none: those of other users and containers, and runs with { metrics: false }, are not seen\n`,
    )
    const stale = await run(folder, 'top', '--once', '--file', files()[0] as string)
    expect(stale).toMatchObject({ status: 1, stdout: '', stderr: `velox: ${last.message}\n` })

    const second = await started('alpha')
    expect(await top.until(sampleIn, () => true)).toMatchObject({ state: 'running', pid: second.pid })
    const found = await run(folder, 'top', '--once', '--json')
    expect(found).toMatchObject({ status: 0, stderr: `velox top: left out: ${last.message}\n` })
    expect(sampleIn(found.stdout).pid).toBe(second.pid)
    expect(await top.end('SIGINT')).toBe(0)
  })

  test('that a file was named of is shown to its end, and then top ends', async () => {
    const { stop, pid } = await started('alpha')
    const top = watch(folder, 'top', '--every', '100', '--file', files()[0] as string)
    await top.until(String, (line) => line.startsWith(`alpha  pid ${pid}`))
    await stop()
    await top.until(String, (line) => line === 'the run has ended')
    await expect(top.until(String, () => false)).rejects.toThrow('velox ended')
    expect(await top.end('SIGINT')).toBe(0)
  })
})

test('no engine is a sentence, and 1', async () => {
  for (const args of [['--once'], ['--json'], []]) {
    const ended = await run(folder, 'top', ...args)
    expect(ended).toEqual({
      status: 1,
      signal: null,
      stdout: '',
      stderr:
        'velox top: expected a running engine, got none: those of other users and containers, and runs with { metrics: false }, are not seen\n',
    })
  }
})

test('of two engines the one is shown that was chosen; else both are listed', async () => {
  const [alpha, beta] = [await started('alpha'), await started('beta')]
  expect(await once('alpha')).toMatchObject({ run: 'alpha', pid: alpha.pid })
  expect(await once('--pid', String(beta.pid))).toMatchObject({ run: 'beta', pid: beta.pid })
  const listed = await run(folder, 'top')
  expect(listed.status).toBe(2)
  expect(listed.stderr).toBe('velox top: expected a running engine, got 2: choose one by its name, --pid or --file\n')
  for (const { pid } of [alpha, beta]) expect(listed.stdout).toMatch(new RegExp(`^(alpha|beta) +${pid} `, 'm'))
  const json = (await run(folder, 'top', '--json')).stdout.trim().split('\n')
  expect(json.map((line) => JSON.parse(line).run).sort()).toEqual(['alpha', 'beta'])
  const other = await run(folder, 'top', '--once', 'gamma')
  expect([other.status, other.stdout]).toEqual([1, ''])
  expect(other.stderr).toContain('expected a running engine named gamma, got only ')
  expect(other.stderr).toContain(`beta (process ${beta.pid})`)
})

test('what is no file of a running engine is refused, and found ones are left out', async () => {
  const { pid } = await started('alpha')
  const [own] = files() as [string]
  const [foreign, other] = ['0-foreign', '0-other'].map((name) => join(folder, 'velox-engine', `${name}.metrics`)) as [
    string,
    string,
  ]
  writeFileSync(foreign, 'a text that is none of the engine')
  copyFileSync(own, other)
  const words = readFileSync(other)
  words.writeBigUInt64LE(99n, 8)
  writeFileSync(other, words)
  const sentences = [
    `expected a file of metrics in ${foreign}, got something else`,
    `expected version 3 of the layout in ${other}, got 99`,
  ]
  for (const [i, file] of [foreign, other].entries()) {
    const ended = await run(folder, 'top', '--once', '--file', file)
    expect(ended).toMatchObject({ status: 1, stdout: '', stderr: `velox: ${sentences[i]}\n` })
  }
  const found = await run(folder, 'top', '--once', '--json')
  expect(found.stderr).toBe(sentences.map((sentence) => `velox top: left out: ${sentence}\n`).join(''))
  expect(sampleIn(found.stdout)).toMatchObject({ state: 'running', pid })
  expect([foreign, other].every(existsSync)).toBe(true)
})

describe('arguments', () => {
  test.each([
    [['top', '--pdi', '1'], 'did you mean --pid?'],
    [['top', '--pid', 'x'], '--pid: expected a whole number, 1 to 4294967295, got "x"'],
    [['top', '--pid'], '--pid: expected a value, got none'],
    [['top', '--once=1'], '--once: expected no value, got "1"'],
    [['top', '--every', '5'], '--every: expected a whole number, 100 to 60000, got 5'],
    [['top', 'alpha', 'beta'], 'top: expected one name, got "beta"'],
    [['top', 'alpha', '--file', 'x'], '--file: expected no name and no --pid beside it, got "x"'],
  ])('%j is refused', async (args, sentence) => {
    const { status, stdout, stderr } = await run(folder, ...args)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(sentence)
  })

  test('help tells the options, examples and exit codes', async () => {
    const help = await run(folder, 'top', '--help')
    expect([help.status, help.stderr]).toEqual([0, ''])
    for (const text of ['--pid N', '--once', '--json', 'Examples', 'Exit codes']) expect(help.stdout).toContain(text)
    for (const line of help.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(125)
  })
})
