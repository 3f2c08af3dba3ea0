// What the system, its libraries and the runtime do to latencies.
// Whole: an old Node, which this is to tell of, doesn't have all of it.
import * as fs from 'node:fs'
import { tooOld } from '../../old-node.js'
import { broken, costs, type Finding, good, unknown } from './finding.js'
import type { Machine } from './machine.js'

export function hugePages(machine: Machine): Finding[] {
  if (!machine.isLinux) return []
  const name = 'huge pages'
  const folder = 'sys/kernel/mm/transparent_hugepage'
  const chosen = (file: string) => machine.read(`${folder}/${file}`)?.match(/\[(\S+)\]/)?.[1]
  const [enabled, defrag] = [chosen('enabled'), chosen('defrag')]
  if (enabled === undefined) return [unknown(name, 'not told by this system')]
  if (enabled === 'always' && (defrag === 'always' || defrag === undefined))
    return [
      costs(
        name,
        `${enabled}, defrag ${defrag ?? 'not told'}`,
        'the first touch of memory may wait while the kernel puts a huge page together: up to some ms, at a start mostly',
        'echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/defrag',
      ),
    ]
  return [good(name, `${enabled}${defrag ? `, defrag ${defrag}` : ''}`)]
}

export function swap(machine: Machine): Finding[] {
  if (!machine.isLinux) return []
  const name = 'swap'
  const text = machine.read('proc/meminfo')
  const kilobytes = Number(text?.match(/^SwapTotal:\s+(\d+) kB/m)?.[1] ?? Number.NaN)
  if (Number.isNaN(kilobytes)) return [unknown(name, 'not told by this system')]
  if (kilobytes === 0) return [good(name, 'none')]
  return [
    costs(
      name,
      `${(kilobytes / 2 ** 20).toFixed(1)} GiB`,
      'a part of a book that was put out takes 50 µs to 10 ms to come back',
      'sudo swapoff -a, or run in a cgroup with memory.swap.max=0',
    ),
  ]
}

/** A live market has two files or three: its socket, its recording, a request. */
const FEW_FILES = 1024

export function limits(machine: Machine): Finding[] {
  if (!machine.isLinux) return []
  const name = 'limits'
  const text = machine.read('proc/self/limits')
  const soft = (row: string) => text?.match(new RegExp(`^${row}\\s+(\\S+)`, 'm'))?.[1]
  const [files, processes] = [soft('Max open files'), soft('Max processes')]
  if (files === undefined || processes === undefined) return [unknown(name, 'not told by this system')]
  const found = `${files} open files, ${processes} threads and processes`
  if (files === 'unlimited' || Number(files) >= FEW_FILES) return [good(name, found)]
  return [
    costs(
      name,
      found,
      'many live markets, recordings and exporters of one process may not all be opened',
      `ulimit -n ${FEW_FILES}, or LimitNOFILE=${FEW_FILES} in the unit of systemd`,
    ),
  ]
}

export function load(machine: Machine, cores: number): Finding[] {
  const [now] = (machine.read('proc/loadavg') ?? '').split(' ')
  if (!now) return []
  const found = `${now} threads want to run, on ${cores} cores`
  if (Number(now) < cores / 2) return [good('load', found)]
  return [
    costs(
      'load',
      found,
      'threads wait for a core: p99 is theirs, not the engine’s, and figures of velox bench are too high',
      'end what else runs here, or give the engine cores of its own (taskset, isolcpus)',
    ),
  ]
}

/** A file in memory, as its file system says it. */
const TMPFS = 0x01021994

/** More than a run's file of metrics takes. */
const ROOM = 2 ** 20

function canWrite(folder: string): boolean {
  try {
    fs.accessSync(folder, fs.constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Where the metrics of runs are mapped: pages of a file on a disk are held while they are written out. */
export function metricsFolder(machine: Machine, folder: string): Finding[] {
  if (!machine.isLinux) return []
  const name = 'metrics'
  let found: { type: number; bsize: number; bavail: number }
  try {
    found = fs.statfsSync(folder)
  } catch {
    return [unknown(name, `${folder} is not there`)]
  }
  const { type, bsize, bavail } = found
  const unusable = !canWrite(folder)
    ? "which can't be written to"
    : bsize * bavail < ROOM
      ? 'which has less than 1 MiB of room'
      : undefined
  if (unusable !== undefined)
    return [
      costs(
        name,
        `in ${folder}, ${unusable}`,
        'runs have no file of metrics: velox top finds none of them. Reports and scrapes are whole',
        'make room there, or set XDG_RUNTIME_DIR to a folder on tmpfs',
      ),
    ]
  if (type === TMPFS) return [good(name, `in ${folder}, in memory`)]
  return [
    costs(
      name,
      `in ${folder}, on a disk`,
      'a stage that counts may wait while the page is written to the disk: some ms, every 5 to 30 s',
      'set XDG_RUNTIME_DIR to a folder on tmpfs, or start({ metrics: false })',
    ),
  ]
}

export function libc(platform: NodeJS.Platform, found: string | undefined): Finding[] {
  if (platform !== 'linux') return []
  if (found === undefined) return [unknown('libc', 'not told by this runtime')]
  if (found === 'musl') return [good('libc', 'musl')]
  const [major = 0, minor = 0] = found.split('.').map(Number)
  if (major > 2 || (major === 2 && minor >= 17)) return [good('libc', `glibc ${found}`)]
  return [
    broken(
      'libc',
      `glibc ${found}`,
      'the prebuilt binaries need 2.17 or newer: none loads',
      'use a system of 2014 or newer, or build it here with Rust: npm run build in a clone',
    ),
  ]
}

/** Which runtimes run what. */
export function runtime(versions: NodeJS.ProcessVersions): Finding {
  const name = 'runtime'
  const { bun, deno } = versions
  if (bun !== undefined) return good(name, `Bun ${bun}`)
  if (deno !== undefined) return good(name, `Deno ${deno}`)
  const [major = 0, minor = 0] = versions.node.split('.').map(Number)
  const found = `Node ${versions.node}`
  const isAtLeast = (m: number, n: number) => major > m || (major === m && minor >= n)
  if (tooOld(versions) !== undefined)
    return broken(name, found, 'the package needs Node 20.19 or newer', 'install Node 20.19, 22 or newer')
  if (!isAtLeast(22, 18))
    return costs(
      name,
      found,
      'it runs no TypeScript by itself: stages and velox run take compiled modules only',
      'install Node 22.18 or newer, or compile by tsc',
    )
  return good(name, found)
}
