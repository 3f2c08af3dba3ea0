import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import type { RunReport } from '../../metrics.js'
import { native } from '../native.js'
import { DIST } from '../place.js'

const { version } = JSON.parse(readFileSync(new URL('../package.json', DIST), 'utf8')) as {
  version: string
}

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
    engine: version,
    clock: native.clockCalibration().source,
  }
}
