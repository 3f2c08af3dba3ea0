// The same decoded stream into each book; the raw feed is given bytes.
import { interleaved, summary } from './measure.mjs'
import { optional } from './optional.mjs'
import { file, lot, stream, tick } from './stream.mjs'

const ROUNDS = 7
const CHECK_EVERY = 10
const BEST_READS = 20_000
const BEST_BLOCKS = 50
const reference = './rivals/sorted-array.mjs'
const paths = [
  reference,
  './rivals/ccxt.mjs',
  './rivals/tardis.mjs',
  './rivals/velox-book.mjs',
  './rivals/velox-feed.mjs',
]

const rounded = (levels) =>
  levels.map(([price, qty]) => `${Math.round(price / tick)}:${Math.round(qty / lot)}`).join(' ')

/** What a rival's book shows every few events, and all of it at the end. */
function seen(rival, source) {
  const prepared = rival.prepare(source)
  const book = rival.make(prepared)
  const shown = []
  for (const [i, event] of prepared.events.entries()) {
    rival.apply(book, event)
    if (i % CHECK_EVERY !== 0) continue
    const { bids, asks } = rival.depth(book, 1)
    shown.push(`${rounded(bids)} ${rounded(asks)}`)
  }
  const { bids, asks } = rival.depth(book, 100_000)
  return { shown, end: `${rounded(bids)} | ${rounded(asks)}`, levels: bids.length + asks.length }
}

function requireEqual(name, one, other) {
  const at = one.shown.findIndex((text, i) => text !== other.shown[i])
  if (at >= 0) throw new Error(`${name} shows ${one.shown[at]} after event ${at * CHECK_EVERY}, not ${other.shown[at]}`)
  if (one.end !== other.end)
    throw new Error(`${name} ends with ${one.levels} levels, not the ${other.levels} that it should`)
}

function trial(rival, prepared) {
  const book = rival.make(prepared)
  const { apply } = rival
  const { events } = prepared
  return () => {
    for (let i = 0; i < events.length; i++) apply(book, events[i])
  }
}

/** Nanoseconds of a read of both best prices and quantities, the median of blocks that are short beside a time slice. */
function bestNanos(rival, prepared) {
  const book = rival.make(prepared)
  const { best } = rival
  const blocks = []
  for (let block = 0; block < BEST_BLOCKS; block++) {
    let sum = 0
    const start = process.hrtime.bigint()
    for (let i = 0; i < BEST_READS; i++) sum += best(book)
    blocks.push(Number(process.hrtime.bigint() - start) / BEST_READS)
    if (!(sum > 0)) throw new Error('an empty book')
  }
  return summary(blocks).median
}

export async function decoded() {
  const source = stream()
  if (!source) return console.error(`SKIPPED: decoded stream: ../shared/data/${file} is not on this machine`)
  const rivals = []
  for (const path of paths) {
    const rival = await optional(path, path)
    if (rival) rivals.push(rival)
  }
  const truth = seen(rivals[0], source)
  for (const rival of rivals) requireEqual(rival.name, seen(rival, source), truth)
  const events = source.events.length
  const levels = source.events.reduce((sum, { bids, asks }) => sum + bids.length + asks.length, 0)
  console.log(
    `\n${events} events, ${levels} levels of ${file}; all agree at ${truth.shown.length} checkpoints and in all ${truth.levels} levels at the end`,
  )

  const prepared = rivals.map((rival) => [rival, rival.prepare(source)])
  const applied = await interleaved(
    prepared.map(([rival, p]) => [rival.name, () => trial(rival, p)]),
    ROUNDS,
  )
  const read = new Map(prepared.map(([rival, p]) => [rival.name, bestNanos(rival, p)]))
  console.log('\n| book | ns an event | least – most | ns a level | ns a read of both best |\n|---|---|---|---|---|')
  for (const { name } of rivals) {
    const { median, least, most } = summary(applied.get(name).map((ns) => ns / events))
    const best = read.get(name)
    const level = (median * events) / levels
    const cells = [median.toFixed(0), `${least.toFixed(0)} – ${most.toFixed(0)}`, level.toFixed(1), best.toFixed(1)]
    console.log(`| ${name} | ${cells.join(' | ')} |`)
    console.log(
      JSON.stringify({
        bench: 'books-js/decoded',
        name,
        nsPerEvent: { median, least, most },
        nsPerLevel: level,
        nsPerBest: best,
      }),
    )
  }
}
