import type { Element, Run, Stats } from '../../../index.js'
import { draw } from '../draw.js'
import { Attached, findEngines } from '../engines.js'
import { sampleOf } from '../sample.js'
import { isScreen, lookOf, Screen } from '../screen.js'
import { line } from '../table.js'
import type { Asked } from './asked.js'

type Reading = Parameters<typeof sampleOf>[0]

/** How often a terminal is drawn anew, and how often a line is written where there is none. */
const FRAME_MILLIS = 250
const LINE_MILLIS = 2000
/** A ring that nobody reads holds a run up for ever. */
const ENDING = 'ends: what is on the way arrives; q or Ctrl-C again gives it up'

/** A run of this process as those of others are read. */
function readingOf(run: Run<Element>, stats: Stats, startedMillis: number): Reading {
  const { elapsedNanos, ...rest } = stats
  const placed = { placement: run.placement, topology: run.topology }
  const own = { run: run.name, pid: process.pid, startedMillis, state: 'running' as const, ...placed }
  return { ...rest, ...own, elapsedNanos: Number(elapsedNanos) } as Reading
}

/** The run's own metrics as `velox top` reads them, which has latencies of the time since the look before; undefined without. */
function attachedTo(run: Run<Element>): Attached | undefined {
  const own = findEngines().engines.filter((engine) => engine.pid === process.pid && engine.run === run.name)
  const newest = own.sort((a, b) => b.startedMillis - a.startedMillis)[0]
  return newest && new Attached(newest.path)
}

/** Shows a run until it ends: in place on a terminal, else a line now and then on the error output. */
export async function show(run: Run<Element>, asked: Asked): Promise<void> {
  const { stdout, stdin, stderr } = process
  if (!isScreen(stdout)) {
    for await (const stats of run.stats({ everyMillis: LINE_MILLIS })) stderr.write(`${stats}\n`)
    return
  }
  const startedMillis = Date.now()
  const screen = new Screen(stdout, stdin, asked.again)
  const attached = attachedTo(run)
  let before: Reading | undefined
  try {
    for await (const stats of run.stats({ everyMillis: FRAME_MILLIS })) {
      const now = attached?.read() ?? readingOf(run, stats, startedMillis)
      const look = lookOf(stdout)
      const [title = '', ...rest] = draw(sampleOf(now, before, Date.now()), look)
      const ending = asked.stopOn.aborted && now.state === 'running' ? [line(ENDING, 'bold', look)] : []
      screen.show([title, ...ending, ...rest])
      before = now
    }
  } finally {
    attached?.close()
    screen.close()
  }
}
