import { setTimeout as sleep } from 'node:timers/promises'
import type { TopOptions } from './arguments.js'
import { draw, drawEngines } from './draw.js'
import { type Engine, findEngines } from './engines.js'
import { Follower } from './follower.js'
import type { Sample } from './sample.js'
import { isScreen, lookOf, Screen } from './screen.js'
import { plain } from './text.js'

const { stdin, stdout } = process
const print = (lines: readonly string[]) => stdout.write(`${lines.join('\n')}\n`)
const tell = (sentence: string) => process.stderr.write(`velox top: ${plain(sentence)}\n`)

/** What a user who knows that one runs has to look for. */
const NONE = 'none: those of other users and containers, and runs with { metrics: false }, are not seen'

function asked({ name, pid }: TopOptions): string {
  const by = [name === undefined ? '' : ` named ${name}`, pid === undefined ? '' : ` of process ${pid}`]
  return `a running engine${by.join('')}`
}

/** The file of the engine that is meant, or the exit code where it is not one. */
function choose(o: TopOptions): string | number {
  if (o.file !== undefined) return o.file
  const { engines, refused } = findEngines()
  for (const { message } of refused) tell(`left out: ${message}`)
  const meant = engines.filter(({ run, pid }) => (o.name ?? run) === run && (o.pid ?? pid) === pid)
  const [first] = meant
  if (first === undefined) {
    const others = engines.map(({ run, pid }) => `${run} (process ${pid})`).join(', ')
    tell(`expected ${asked(o)}, got ${others === '' ? NONE : `only ${others}`}`)
    return 1
  }
  if (meant.length === 1) return first.path
  list(meant, o.json)
  tell(`expected ${asked(o)}, got ${meant.length}: choose one by its name, --pid or --file`)
  return 2
}

function list(engines: readonly Engine[], json: boolean): void {
  print(json ? engines.map((engine) => JSON.stringify(engine)) : drawEngines(engines, Date.now(), lookOf(stdout)))
}

/** Shows each sample until it is told to end. */
async function follow(follower: Follower, o: TopOptions): Promise<void> {
  const told = new AbortController()
  const end = () => told.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  const screen = isScreen(stdout) && !o.json ? new Screen(stdout, stdin, end) : undefined
  const show = (sample: Sample) => {
    if (o.json) return void print([JSON.stringify(sample)])
    const lines = draw(sample, lookOf(stdout), o.file === undefined)
    if (screen) screen.show(lines)
    else print([...lines, ''])
  }
  let last: Sample | undefined
  try {
    while (!told.signal.aborted) {
      const sample = follower.next()
      if (sample !== undefined) {
        last = sample
        show(sample)
        if (sample.state !== 'running' && o.file !== undefined) break
      }
      await sleep(o.everyMillis, undefined, told).catch(() => {})
    }
  } finally {
    screen?.close()
  }
  if (screen && last) print(draw(last, lookOf(stdout)))
}

/** Two readings: what happens in a second is known by their difference. */
async function once(follower: Follower, o: TopOptions): Promise<void> {
  let sample = follower.next()
  if (sample?.state === 'running') {
    await sleep(o.everyMillis)
    sample = follower.next() ?? sample
  }
  if (sample) print(o.json ? [JSON.stringify(sample)] : draw(sample, lookOf(stdout)))
}

/** `velox top`; gives the exit code. */
export async function top(o: TopOptions): Promise<number> {
  const path = choose(o)
  if (typeof path === 'number') return path
  const follower = new Follower(path)
  try {
    await (o.once ? once : follow)(follower, o)
  } finally {
    follower.close()
  }
  return 0
}
