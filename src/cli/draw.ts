import type { Percentiles } from '../../index.js'
import type { Sample } from './sample.js'
import { type Cell, type Column, type Look, line, table } from './table.js'
import { count, percent, rate, time } from './text.js'

const texts = (...titles: string[]): Column[] => titles.map((title) => ({ title, isText: true }))
const numbers = (...titles: string[]): Column[] => titles.map((title) => ({ title }))

/** A count of what should not be. */
const lost = (n: number): Cell => (n > 0 ? { text: count(n), tone: 'bad' } : '0')

function head({ run, pid, elapsedNanos, state, message }: Sample, isFollowed: boolean, look: Look): string[] {
  const title = line(`${run}  pid ${pid}  up ${time(elapsedNanos)}`, 'bold', look)
  if (state === 'running') return [title]
  // First what is most to be seen: a path may be longer than the line.
  const end = state === 'ended' ? 'the run has ended' : `gone: ${message}`
  return [title, line(end, 'bad', look), ...(isFollowed ? [line('waits for it to start again', 'plain', look)] : [])]
}

function stages(sample: Sample, look: Look): string[] {
  // A column that few need is there for those only: at 80 letters a line is full.
  const conflates = sample.stages.some(({ conflated }) => conflated > 0)
  const rows = sample.stages.map((s): Cell[] => [
    s.name,
    rate(s.inPerSecond),
    rate(s.outPerSecond),
    count(s.consumed),
    count(s.filtered),
    ...(conflates ? [count(s.conflated)] : []),
    lost(s.errors),
    count(s.held),
    s.stuck ? { text: 'stuck', tone: 'bad' } : percent(s.busyNow),
    s.latencyNanos ? time(s.latencyNanos.p50) : '-',
    s.latencyNanos ? time(s.latencyNanos.p99) : '-',
  ])
  const conflated = conflates ? ['conflated'] : []
  const titles = ['in/s', 'out/s', 'consumed', 'filtered', ...conflated, 'errors', 'held', 'busy', 'p50', 'p99']
  return table([...texts('stage'), ...numbers(...titles)], rows, look)
}

function edges(sample: Sample, look: Look): string[] {
  const rows = sample.edges.map((e): Cell[] => [
    `${e.from} → ${e.to}`,
    rate(e.pushedPerSecond),
    count(e.inFlight),
    count(e.highWater),
    lost(e.dropped),
    e.droppedPerSecond > 0 ? { text: rate(e.droppedPerSecond), tone: 'bad' } : '0',
  ])
  return table([...texts('edge'), ...numbers('in/s', 'fill', 'high water', 'dropped', 'dropped/s')], rows, look)
}

function latencies(sample: Sample, look: Look): string[] {
  const row = (name: string, p: Percentiles | undefined): Cell[][] =>
    p ? [[name, count(p.count), ...[p.p50, p.p90, p.p99, p.p999, p.max].map(time)]] : []
  const rows = [
    ...row('end to end', sample.endToEndNanos),
    ...row('bundle wait', sample.bundleWaitNanos),
    ...row('hiccups', sample.hiccupNanos),
  ]
  return table([...texts('latency'), ...numbers('count', 'p50', 'p90', 'p99', 'p99.9', 'max')], rows, look)
}

function threads(sample: Sample, look: Look): string[] {
  const rows = sample.threads.map((t, i): Cell[] => {
    const { core, wait = '-' } = sample.placement[i] ?? {}
    const beat = t.asleep ? 'asleep' : t.beatAgeNanos === undefined ? '-' : time(t.beatAgeNanos)
    const { count: stalls, maxNanos } = t.stalls
    return [wait, String(core ?? '-'), percent(t.busyNow), beat, count(stalls), time(maxNanos), t.stages.join(' ')]
  })
  const columns = [...texts('thread'), ...numbers('core', 'busy', 'beat', 'stalls', 'longest'), ...texts('stages')]
  return table(columns, rows, look)
}

function books(sample: Sample, look: Look): string[] {
  const rows = sample.books.map((b): Cell[] => [
    b.name,
    b.symbol,
    b.state === 'stale' ? { text: b.state, tone: 'bad' } : b.state,
    b.ageNanos === undefined ? '-' : time(b.ageNanos),
    String(b.sequence),
  ])
  return table([...texts('book', 'symbol', 'state'), ...numbers('age', 'sequence')], rows, look)
}

/**
 * A sample as lines: the same for the same sample. Rates and `busy` are since the sample before, the rest since the start.
 * Of a run that is followed the next start is waited for.
 */
export function draw(sample: Sample, look: Look, isFollowed = false): string[] {
  const parts = [stages, edges, latencies, threads, books].map((part) => part(sample, look))
  // Of one line: the titles of nothing.
  const filled = parts.filter((lines) => lines.length > 1)
  return [...head(sample, isFollowed, look), ...filled.flatMap((lines) => ['', ...lines])]
}

/** Which engines there are, with what chooses them. */
export function drawEngines(
  engines: readonly { run: string; pid: number; startedMillis: number; path: string }[],
  nowMillis: number,
  look: Look,
): string[] {
  const rows = engines.map((e) => [e.run, String(e.pid), time(Math.max(0, nowMillis - e.startedMillis) * 1e6), e.path])
  return table([...texts('engine'), ...numbers('pid', 'up'), ...texts('file')], rows, look)
}
