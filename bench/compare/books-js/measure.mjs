// Rounds in turn, so that what the machine does meanwhile falls on all alike.
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/**
 * Nanoseconds of each trial by name: `entries` are `[name, () => trial]`, where the making of a trial is not timed. What the
 * trial before left is collected, and given back by a turn of the event loop, as a program has them all the time.
 */
export async function interleaved(entries, rounds) {
  const nanos = new Map(entries.map(([name]) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, make] of entries) {
      collect()
      await turn()
      const trial = make()
      collect()
      const start = process.hrtime.bigint()
      trial()
      const took = Number(process.hrtime.bigint() - start)
      // The first round warms up.
      if (round > 0) nanos.get(name).push(took)
    }
  }
  return nanos
}

export function summary(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)], least: sorted[0], most: sorted.at(-1) }
}
