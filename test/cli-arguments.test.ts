// What every command of `velox` says of itself, and of arguments that it doesn't take.
import { describe, expect, test } from 'vitest'
import { velox } from './support/engine.js'
import { node } from './support/node.js'

const COMMANDS = ['run', 'replay', 'top', 'bench', 'doctor', 'init']

test.each(COMMANDS)(
  'velox %s --help has what it does, examples and exit codes, within 80 letters a line',
  async (name) => {
    const { status, stdout, stderr } = await node([velox, name, '--help'])
    expect([status, stderr]).toEqual([0, ''])
    for (const text of [`velox ${name}`, '--json', 'Examples', 'Exit codes', '\n  0  ', '\n  1  ', '\n  2  '])
      expect(stdout).toContain(text)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  },
)

test('velox --help names every command; version is the package’s', async () => {
  const { status, stdout } = await node([velox, '--help'])
  expect(status).toBe(0)
  for (const name of COMMANDS) expect(stdout).toContain(`velox ${name}`)
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  expect((await node([velox, '--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test.each([
  [['-h'], ['--help']],
  [['help'], ['--help']],
  [
    ['run', '-h'],
    ['run', '--help'],
  ],
  [
    ['help', 'top'],
    ['top', '--help'],
  ],
  [['-v'], ['--version']],
  [['-V'], ['--version']],
])('velox %j is velox %j', async (short, long) => {
  expect(await node([velox, ...short])).toEqual(await node([velox, ...long]))
})

describe('wrong arguments are a sentence, and 2', () => {
  test.each([
    [[], `expected a command: ${['run', 'replay', 'top', 'bench', 'doctor', 'init'].join(', ')}, got none`],
    [['docter'], 'got "docter"; did you mean doctor?'],
    [['toString'], 'got "toString"'],
    [['run'], 'run: expected the file of a module, got none'],
    [['run', 'x.js', '--thread', '2'], 'did you mean --threads?'],
    [['run', 'x.js', '-t', '2'], '-t: expected one of --help'],
    [['run', 'x.js', '--report'], '--report: expected a value, got none'],
    [['run', 'x.js', '--threads', '0'], '--threads: expected a whole number, 1 to 1024, got 0'],
    [['run', 'x.js', '--wait', 'sleep'], '--wait: expected one of spin, yield, backoff, block, got "sleep"'],
    [['run', 'x.js', '--seconds', '-1'], '--seconds: expected a number above 0'],
    [['run', 'x.js', '--report', 'x.pdf'], '--report: expected a file that ends in .html or .json, got "x.pdf"'],
    [['replay'], 'replay: expected one recorded file, or sample, got none'],
    [['replay', 'a', 'b'], 'replay: expected one recorded file, or sample, got "b"'],
    [['replay', 'a', '--pace', 'fast'], '--pace: expected max, recorded or so many messages a second, got "fast"'],
    [['replay', 'a', '--out', 'x.txt'], '--out: expected a file that ends in .csv or .velox, got "x.txt"'],
    [['replay', 'a', '--kind', 'trade'], '--kind: expected it with --out only, got "trade"'],
    [['replay', 'a', '--out', 'x.csv', '--kind', 'trades'], '--kind: expected one of level, trade, quote, status'],
    [['replay', 'a', '--format', 'csv'], '--format: expected one of binance, messages, capture, velox, dbn, got "csv"'],
    [['replay', 'a', '--depth', '101'], '--depth: expected a whole number, 1 to 100, got 101'],
    [['bench', 'ring'], 'bench: expected options only, got "ring"'],
    [['bench', '--seconds', 'x'], '--seconds: expected a number above 0, at most 3600, got "x"'],
    [['doctor', '--mend'], 'expected one of --help, --json, got an option that there is not'],
    [['init', 'a', 'b'], 'init: expected one folder, got "b"'],
    [['init', '--language', 'rust'], '--language: expected one of ts, js, got "rust"'],
  ])('%j', async (args, sentence) => {
    const { status, stdout, stderr } = await node([velox, ...args])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(sentence)
    expect(stderr.trim().split('\n')).toHaveLength(2)
  })
})
