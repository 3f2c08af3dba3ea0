import { existsSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { VeloxError } from '../../errors/velox-error.js'
import { libcOf } from '../../native-missing.js'
import { lookOf } from '../screen.js'
import type { DoctorOptions } from './command.js'
import { drawFindings } from './draw.js'
import { broken, costs, type Finding, good } from './finding.js'
import { Machine } from './machine.js'
import { clockSource, counter, governor, hyperthreads, idleStates, isolation, processor, quota } from './processor.js'
import { hugePages, libc, limits, load, metricsFolder, runtime, swap } from './system.js'

/** How long a core is spun on to see what the machine takes of it. */
const GAP_MILLIS = 300
/** A share of the time that is taken above which it shows in a p99. */
const SMALL_SHARE = 0.001

/** What only the native addon can tell; why it can't where there is none. */
async function natively(): Promise<{ findings: Finding[]; source?: string; ppm?: number }> {
  try {
    const { call, native } = await import('../../native.js')
    const { source, errorPpm } = native.clockCalibration()
    const { share, maxNanos } = JSON.parse(call(() => native.benchRun('gaps', GAP_MILLIS))) as Record<string, number>
    return { findings: [good('native addon', 'loads'), gaps(share ?? 0, maxNanos ?? 0)], source, ppm: errorPpm }
  } catch (error) {
    if (!(error instanceof VeloxError)) throw error
    const mend = 'install the package of this platform that the sentence names'
    return { findings: [broken('native addon', error.message, 'nothing of the engine runs', mend)] }
  }
}

export function gaps(share: number, maxNanos: number): Finding {
  const found = `${(100 * share).toFixed(2)} % of a core in gaps above 10 µs, the longest ${(maxNanos / 1000).toFixed(0)} µs`
  if (share < SMALL_SHARE) return good('gaps', found)
  return costs(
    'gaps',
    found,
    'while a spinning thread is off its core nothing moves: that is in every p99 and maximum measured here',
    'see isolation, load and processor: the machine takes it, not the engine',
  )
}

/** Where the metrics of runs are, by the rule of `velox_metrics::folder`. */
function metricsParent(): string {
  const { XDG_RUNTIME_DIR } = process.env
  if (XDG_RUNTIME_DIR?.startsWith('/') && existsSync(XDG_RUNTIME_DIR)) return XDG_RUNTIME_DIR
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}

/** Everything that the files of a system tell, in the order in which it is shown. */
export function findingsOf(
  machine: Machine,
  own: { model: string; cores: number; source?: string | undefined; ppm?: number | undefined },
): Finding[] {
  return [
    processor(machine, own.model, own.cores),
    ...quota(machine),
    counter(own.source, own.ppm),
    ...clockSource(machine),
    ...governor(machine),
    ...idleStates(machine),
    ...isolation(machine),
    ...hyperthreads(machine),
    ...hugePages(machine),
    ...swap(machine),
    ...limits(machine),
    ...load(machine, own.cores),
  ]
}

/** `velox doctor`; gives the exit code. */
export async function doctor({ json }: DoctorOptions): Promise<number> {
  const machine = new Machine()
  const cores = availableParallelism()
  const model = cpus()[0]?.model.trim() || 'unknown'
  const { findings: native, source, ppm } = await natively()
  const findings = [
    ...findingsOf(machine, { model, cores, source, ppm }),
    ...metricsFolder(machine, metricsParent()),
    ...libc(machine.platform, libcOf()),
    runtime(process.versions),
    ...native,
  ]
  console.log(json ? JSON.stringify({ findings }) : drawFindings(findings, lookOf(process.stdout)).join('\n'))
  return findings.some(({ verdict }) => verdict === 'broken') ? 1 : 0
}
