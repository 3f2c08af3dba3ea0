import type { Element, Run, Stats } from '../../../index.js'
import { draw } from '../draw.js'
import { sampleOf } from '../sample.js'
import { lookOf, Screen } from '../screen.js'

type Reading = Parameters<typeof sampleOf>[0]

/** How often a terminal is drawn anew, and how often a line is written where there is none. */
const FRAME_MILLIS = 250
const LINE_MILLIS = 2000

/** A run of this process as those of others are read. */
function readingOf(run: Run<Element>, stats: Stats, startedMillis: number): Reading {
  const { elapsedNanos, ...rest } = stats
  const placed = { placement: run.placement, topology: run.topology }
  const own = { run: run.name, pid: process.pid, startedMillis, ended: false, ...placed }
  return { ...rest, ...own, elapsedNanos: Number(elapsedNanos) } as Reading
}

/** Shows a run until it ends: in place on a terminal, else a line now and then on the error output. */
export async function show(run: Run<Element>, end: () => void): Promise<void> {
  const { stdout, stdin, stderr } = process
  if (!stdout.isTTY) {
    for await (const stats of run.stats({ everyMillis: LINE_MILLIS })) stderr.write(`${stats}\n`)
    return
  }
  const startedMillis = Date.now()
  const screen = new Screen(stdout, stdin, end)
  let before: Reading | undefined
  try {
    for await (const stats of run.stats({ everyMillis: FRAME_MILLIS })) {
      const now = readingOf(run, stats, startedMillis)
      screen.show(draw(sampleOf(now, before, Date.now()), lookOf(stdout)))
      before = now
    }
  } finally {
    screen.close()
  }
}
