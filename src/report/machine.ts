import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import type { RunReport } from '../../metrics.js'
import { native } from '../native.js'
import { VERSION } from '../version.js'

function runtime(): string {
  const { bun, deno, node } = process.versions
  return bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${node}`
}

/** What a run was measured on; nothing of whose it is. */
export function machine(): RunReport['machine'] {
  return {
    processor: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
    architecture: arch(),
    runtime: runtime(),
    engine: VERSION,
    clock: native.clockCalibration().source,
  }
}
