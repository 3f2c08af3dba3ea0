// `velox doctor`: on this machine, and on machines made of files.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findingsOf, gaps } from '../dist/cli/doctor/doctor.js'
import { drawFindings } from '../dist/cli/doctor/draw.js'
import type { Finding } from '../dist/cli/doctor/finding.js'
import { Machine } from '../dist/cli/doctor/machine.js'
import { counter } from '../dist/cli/doctor/processor.js'
import { libc, metricsFolder, runtime } from '../dist/cli/doctor/system.js'
import { velox } from './support/engine.js'
import { node } from './support/node.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-doctor-'))
afterAll(() => rmSync(folder, { recursive: true }))

const CPU = 'sys/devices/system/cpu'
/** Everything as it should be: a machine of its own, with isolated cores. */
const FIT: Readonly<Record<string, string>> = {
  'proc/cpuinfo': 'flags : fpu constant_tsc nonstop_tsc',
  'proc/loadavg': '0.10 0.20 0.30 1/100 42',
  'proc/meminfo': 'MemTotal: 32000000 kB\nSwapTotal:       0 kB',
  'proc/self/limits': 'Max processes             9000   9000  processes\nMax open files            20000  20000  files',
  'sys/devices/system/clocksource/clocksource0/current_clocksource': 'tsc',
  'sys/devices/system/clocksource/clocksource0/available_clocksource': 'tsc hpet acpi_pm',
  [`${CPU}/cpu0/cpufreq/scaling_governor`]: 'performance',
  [`${CPU}/cpu1/cpufreq/scaling_governor`]: 'performance',
  [`${CPU}/cpu0/cpuidle/state0/latency`]: '0',
  [`${CPU}/cpu0/cpuidle/state0/name`]: 'POLL',
  [`${CPU}/cpu0/cpuidle/state1/latency`]: '2',
  [`${CPU}/cpu0/cpuidle/state1/name`]: 'C1',
  [`${CPU}/isolated`]: '2-3',
  [`${CPU}/smt/active`]: '0',
  'sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never',
  'sys/kernel/mm/transparent_hugepage/defrag': 'always defer [madvise] never',
}

let made = 0
function findings(files: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform = 'linux'): Finding[] {
  const root = join(folder, String(made++))
  for (const [path, text] of Object.entries({ ...FIT, ...files })) {
    if (text === undefined) continue
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), `${text}\n`)
  }
  return findingsOf(new Machine(root, platform), { model: 'A processor', cores: 4, source: 'tsc', ppm: 0.1 })
}

test('a fit machine has nothing that costs', () => {
  expect(findings({}).filter(({ verdict }) => verdict !== 'good')).toEqual([])
})

test.runIf(process.platform === 'linux')('a folder for metrics without room is told with what is missing then', () => {
  const machine = new Machine(folder, 'linux')
  const [proc] = metricsFolder(machine, '/proc')
  expect([proc?.verdict, proc?.found]).toEqual([
    'costs',
    expect.stringMatching(/in \/proc, which (has less than 1 MiB|can't be)/),
  ])
  expect(proc?.cost).toContain('velox top finds none')
  expect(metricsFolder(machine, folder)[0]?.found).not.toMatch(/which has less|can't be/)
})

describe('what costs is found, with its cost and its mend', () => {
  test.each([
    ['clock source', { 'sys/devices/system/clocksource/clocksource0/current_clocksource': 'hpet' }, 'clocksource=tsc'],
    [
      'clock source',
      {
        'sys/devices/system/clocksource/clocksource0/current_clocksource': 'hpet',
        'sys/devices/system/clocksource/clocksource0/available_clocksource': 'hpet acpi_pm',
      },
      'dmesg',
    ],
    ['governor', { [`${CPU}/cpu1/cpufreq/scaling_governor`]: 'powersave' }, 'cpupower frequency-set'],
    ['idle states', { [`${CPU}/cpu0/cpuidle/state1/latency`]: '133' }, 'idle-set -D'],
    ['isolation', { [`${CPU}/isolated`]: '' }, 'isolcpus='],
    ['hyperthreads', { [`${CPU}/smt/active`]: '1' }, 'smt/control'],
    [
      'huge pages',
      {
        'sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never',
        'sys/kernel/mm/transparent_hugepage/defrag': '[always] defer madvise never',
      },
      'defrag',
    ],
    ['swap', { 'proc/meminfo': 'SwapTotal: 2097152 kB' }, 'swapoff'],
    ['limits', { 'proc/self/limits': 'Max processes 100 100 processes\nMax open files 256 256 files' }, 'ulimit -n'],
    ['load', { 'proc/loadavg': '7.50 1.00 1.00 9/100 42' }, 'taskset'],
    ['processor', { 'proc/cpuinfo': 'flags : fpu hypervisor lm' }, 'dedicated cores'],
    ['quota', { 'sys/fs/cgroup/cpu.max': '150000 100000' }, '--cpus'],
  ])('%s %j', (name, files, mend) => {
    const bad = findings(files).filter(({ verdict }) => verdict === 'costs')
    expect(bad.map((finding) => finding.name)).toEqual([name])
    expect(bad[0]?.mend).toContain(mend)
    expect(bad[0]?.cost).not.toBe('')
  })

  test('an idle state that is switched off is none', () => {
    const found = findings({
      [`${CPU}/cpu0/cpuidle/state1/latency`]: '133',
      [`${CPU}/cpu0/cpuidle/state1/disable`]: '1',
    })
    expect(found.find(({ name }) => name === 'idle states')?.verdict).toBe('good')
  })

  test('a counter that is not trusted, so that the system counts', () => {
    expect(counter('os', undefined)).toMatchObject({
      verdict: 'costs',
      found: 'not trusted, the system counts instead',
    })
    expect(counter('os', undefined).cost).toContain('20 to 60 ns')
    expect(counter('tsc', 0.123)).toMatchObject({ verdict: 'good', found: 'tsc, invariant, calibrated to 0.12 ppm' })
    expect(counter(undefined, undefined).verdict).toBe('unknown')
  })

  test('gaps above a thousandth of the time', () => {
    expect([gaps(0.0005, 20_000).verdict, gaps(0.04, 17e6).verdict]).toEqual(['good', 'costs'])
    expect(gaps(0.04, 17e6).found).toBe('4.00 % of a core in gaps above 10 µs, the longest 17000 µs')
  })

  test('libc and runtimes that are too old are broken', () => {
    const verdicts = (glibc: string | undefined) => libc('linux', glibc).map(({ verdict }) => verdict)
    expect([verdicts('2.12'), verdicts('2.17'), verdicts('2.36'), verdicts('musl'), verdicts(undefined)]).toEqual([
      ['broken'],
      ['good'],
      ['good'],
      ['good'],
      ['unknown'],
    ])
    expect(libc('darwin', undefined)).toEqual([])
    const on = (node: string) => runtime({ node } as NodeJS.ProcessVersions).verdict
    expect([on('18.20.0'), on('20.18.0'), on('20.19.0'), on('22.17.0'), on('22.18.0'), on('26.1.0')]).toEqual([
      'broken',
      'broken',
      'costs',
      'costs',
      'good',
      'good',
    ])
  })
})

test('what a system does not tell is unknown there, and on other systems not asked', () => {
  const bare = Object.fromEntries(Object.keys(FIT).map((path) => [path, undefined]))
  expect(new Set(findings(bare).map(({ verdict }) => verdict))).toEqual(new Set(['good', 'unknown', 'costs']))
  const names = findings(bare, 'darwin').map(({ name }) => name)
  expect(names).toEqual(['processor', 'counter'])
})

test('is drawn within 80 letters, with a sum', () => {
  const lines = drawFindings(findings({ [`${CPU}/isolated`]: '' }), { columns: 80, color: false })
  for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80)
  expect(lines.some((line) => /^ +mend +boot with isolcpus=/.test(line))).toBe(true)
  expect(lines.at(-1)).toMatch(/^\d+ good, 1 that cost, 0 not told, 0 broken$/)
})

test('on this machine it finds the native addon, and ends with 0', async () => {
  const { status, stdout, stderr } = await node([velox, 'doctor', '--json'])
  expect([status, stderr]).toEqual([0, ''])
  const { findings: found } = JSON.parse(stdout) as { findings: Finding[] }
  const by = Object.fromEntries(found.map((finding) => [finding.name, finding]))
  expect(by['native addon']?.verdict).toBe('good')
  expect(by['runtime']?.found).toBe(`Node ${process.versions.node}`)
  expect(by['gaps']?.found).toMatch(/ % of a core in gaps above 10 µs/)
  for (const { verdict, cost, mend } of found)
    expect([cost === undefined, mend === undefined]).toEqual(Array(2).fill(verdict === 'good' || verdict === 'unknown'))
  const text = await node([velox, 'doctor'])
  expect(text.stdout).toMatch(/\d+ good, \d+ that cost, \d+ not told, 0 broken\n$/)
})
