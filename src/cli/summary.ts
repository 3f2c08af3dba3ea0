import type { Sample } from './sample.js'
import { count, percent, rate, time } from './text.js'

const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0)

/** Each once, and no more than a line has room for. */
function some(names: readonly string[]): string {
  const [first, second, third, ...more] = new Set(names)
  const told = [first, second, third].filter((name) => name !== undefined).join(', ')
  return more.length === 0 ? told : `${told} and ${more.length} more`
}

/** What should not be, as one line; undefined where all is well. */
export function troubles({ stages, edges, books }: Sample): string | undefined {
  const live = stages.flatMap(({ name, live }) => (live ? [{ name, ...live }] : []))
  const lost = [
    [sum(edges.map(({ dropped }) => dropped)), 'dropped'],
    [sum(stages.map(({ errors }) => errors)), 'errors'],
    [sum(live.map(({ dropped }) => dropped)), 'messages dropped'],
  ] as const
  const told = [
    ['lost', lost.flatMap(([n, what]) => (n > 0 ? [`${count(n)} ${what}`] : []))],
    ['stuck', stages.flatMap(({ name, stuck }) => (stuck ? [name] : []))],
    ['not connected', live.flatMap(({ name, state }) => (state === 'connecting' ? [name] : []))],
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
  const given = sum(stages.flatMap(({ name, outPerSecond }) => (isFed.has(name) ? [] : [outPerSecond])))
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
