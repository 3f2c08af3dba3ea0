import { lostOf } from '../report/lost.js'
import type { Sample } from './sample.js'
import { count, percent, rate, time } from './text.js'

/** Each once, and no more than a line has room for. */
function some(names: readonly string[]): string {
  const [first, second, third, ...more] = new Set(names)
  const told = [first, second, third].filter((name) => name !== undefined).join(', ')
  return more.length === 0 ? told : `${told} and ${more.length} more`
}

/** What should not be, as one line; undefined where all is well. */
export function troubles(sample: Sample): string | undefined {
  const { stages, books } = sample
  const live = stages.flatMap(({ name, live }) => (live ? [{ name, ...live }] : []))
  const told = [
    ['lost', lostOf(sample).map(([n, what]) => `${count(n)} ${what}`)],
    ['stuck', stages.flatMap(({ name, stuck }) => (stuck ? [name] : []))],
    [
      'not connected',
      live.flatMap(({ name, state, connectionErrors: n }) =>
        state === 'connecting' ? [`${name} (${count(n)} failed)`] : [],
      ),
    ],
    [
      'stale',
      [...books, ...live.flatMap(({ symbols }) => symbols)].flatMap((b) => (b.state === 'stale' ? [b.symbol] : [])),
    ],
  ] as const
  const lines = told.flatMap(([what, names]) => (names.length > 0 ? [`${what}: ${some(names)}`] : []))
  return lines.length > 0 ? lines.join('; ') : undefined
}

/** Whether it keeps up, and where the time goes, as one line. */
export function pace({ stages, edges, topology, endToEndNowNanos }: Sample): string {
  const isFed = new Set(topology.edges.map(({ to }) => to))
  const given = stages.reduce((sum, { name, outPerSecond }) => sum + (isFed.has(name) ? 0 : outPerSecond), 0)
  const [busiest] = stages.toSorted((a, b) => b.busyNow - a.busyNow)
  // Within a thread an edge is a batch: a full one says only that much came at once.
  const rings = edges.filter((_, i) => topology.edges[i]?.crossesThreads)
  const [fullest] = rings.toSorted((a, b) => b.fill - a.fill)
  return [
    `${rate(given)}/s in`,
    ...(endToEndNowNanos ? [`p99 now ${time(endToEndNowNanos.p99)}`] : []),
    ...(busiest ? [`busiest ${busiest.name} ${percent(busiest.busyNow)}`] : []),
    ...(fullest ? [`fullest ${fullest.from} → ${fullest.to} ${percent(fullest.fill)}`] : []),
  ].join('  ')
}
