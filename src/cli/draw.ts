import type { Percentiles } from '../../index.js'
import type { Sample } from './sample.js'
import { pace, troubles } from './summary.js'
import { type Cell, type Column, type Look, line, table } from './table.js'
import { count, percent, rate, time } from './text.js'

const texts = (...titles: string[]): Column[] => titles.map((title) => ({ title, isText: true }))
const numbers = (...titles: string[]): Column[] => titles.map((title) => ({ title }))
const optional = (nanos: number | undefined): string => (nanos === undefined ? '-' : time(nanos))

/** A count of what should not be. */
const lost = (n: number): Cell => (n > 0 ? { text: count(n), tone: 'bad' } : '0')

/** How it ended, as a sentence. */
function endOf({ state, message, outcome, failedStage = '' }: Sample): string {
  if (state === 'gone') return `gone: ${message}`
  if (outcome === 'failed') return `the run has failed in ${failedStage}`
  return outcome === 'aborted' ? 'the run was aborted' : 'the run has ended'
}

/** First what is most to be seen: all below may lie beyond the edge of a low terminal. */
function head(sample: Sample, isFollowed: boolean, look: Look): string[] {
  const { run, pid, elapsedNanos, state } = sample
  const title = line(`${run}  pid ${pid}  up ${time(elapsedNanos)}`, 'bold', look)
  const wrong = troubles(sample)
  const told = [title, ...(wrong === undefined ? [] : [line(wrong, 'bad', look)])]
  if (state === 'running') {
    const all = pace(sample)
    return [...told, line(wrong === undefined ? `nothing lost  ${all}` : all, 'plain', look)]
  }
  const end = line(endOf(sample), sample.outcome === 'done' ? 'bold' : 'bad', look)
  return [...told, end, ...(isFollowed ? [line('waits for it to start again', 'plain', look)] : [])]
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
    optional(s.latencyNowNanos?.p50),
    optional(s.latencyNowNanos?.p99),
    optional(s.latencyNanos?.p50),
    optional(s.latencyNanos?.p99),
  ])
  const conflated = conflates ? ['conflated'] : []
  const account = numbers('in/s', 'out/s', 'consumed', 'filtered', ...conflated, 'errors', 'held')
  const now = [{ title: 'busy', least: 5 }, ...numbers('p50 now', 'p99 now')]
  const all = numbers('p50', 'p99').map((column) => ({ ...column, isExtra: true }))
  return table([...texts('stage'), ...account, ...now, ...all], rows, look)
}

function edges(sample: Sample, look: Look): string[] {
  const rows = sample.edges.map((e, i): Cell[] => [
    `${e.from} → ${e.to}`,
    rate(e.pushedPerSecond),
    count(e.inFlight),
    percent(e.fill),
    count(e.highWater),
    // One that blocks has nothing to drop until its run is stopped.
    e.dropped === 0 && sample.topology.edges[i]?.whenFull === 'block' ? '-' : lost(e.dropped),
    e.droppedPerSecond > 0 ? { text: rate(e.droppedPerSecond), tone: 'bad' } : '0',
  ])
  const titles = ['in/s', 'in flight', 'fill', 'high water', 'dropped', 'dropped/s']
  return table([...texts('edge'), ...numbers(...titles)], rows, look)
}

function latencies(sample: Sample, look: Look): string[] {
  const row = (name: string, now: Percentiles | undefined, all: Percentiles | undefined): Cell[][] => {
    if (!all) return []
    const since = [all.p50, all.p90, all.p99, all.p999, all.max].map(time)
    return [[name, ...[now?.p50, now?.p99, now?.max].map(optional), ...since, count(all.count)]]
  }
  const rows = [
    ...row('end to end', sample.endToEndNowNanos, sample.endToEndNanos),
    ...row('bundle wait', sample.bundleWaitNowNanos, sample.bundleWaitNanos),
    ...row('hiccups', sample.hiccupNowNanos, sample.hiccupNanos),
  ]
  const titles = ['p50 now', 'p99 now', 'max now', 'p50', 'p90', 'p99', 'p99.9', 'max', 'count']
  return table([...texts('latency'), ...numbers(...titles)], rows, look)
}

function markets(sample: Sample, look: Look): string[] {
  const rows = sample.stages.flatMap(({ name, live, messagesPerSecond = 0 }): Cell[][] => {
    if (!live) return []
    const { symbols, state, ageMillis } = live
    const right = symbols.filter((symbol) => symbol.state === 'live').length
    const books = `${right}/${symbols.length}`
    return [
      [
        name,
        live.venue,
        state === 'connecting' ? { text: state, tone: 'bad' } : state,
        right < symbols.length ? { text: books, tone: 'bad' } : books,
        rate(messagesPerSecond),
        ageMillis === undefined ? '-' : time(ageMillis * 1e6),
        count(Math.max(0, live.connections - 1)),
        ...[live.gaps, live.dropped, live.errors, live.checksums].map(lost),
      ],
    ]
  })
  const all = numbers('live', 'msg/s', 'age', 'reconnects', 'gaps', 'dropped')
  const more = numbers('errors', 'checksums').map((column) => ({ ...column, isExtra: true }))
  return table([...texts('market', 'venue', 'state'), ...all, ...more], rows, look)
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
 * A sample as lines: the same for the same sample. Rates, `busy` and what is called `now` are since the sample before, the
 * rest since the start.
 * Of a run that is followed the next start is waited for.
 */
export function draw(sample: Sample, look: Look, isFollowed = false): string[] {
  const parts = [stages, edges, latencies, markets, threads, books].map((part) => part(sample, look))
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
