// Each capture from its bytes to books: `JSON.parse` with sorted arrays, and velox-engine's Feed.
import { messages } from './lines.mjs'
import { interleaved, summary } from './measure.mjs'
import { optional } from './optional.mjs'

const ROUNDS = 7
const DEPTH = 10
/** Short captures are played several times a trial. */
const LEAST_MESSAGES = 30_000

const captures = [
  { venue: 'binance-usdm', file: 'binance/usdm-btcusdt_20240808.gz', by: './captures/binance.mjs' },
  { venue: 'binance-coinm', file: 'binance/cm-btcusd_perp_20240808.gz', by: './captures/binance.mjs' },
  { venue: 'binance-spot', file: 'binance/spot-btcusdt_20240808.gz', by: './captures/binance.mjs' },
  { venue: 'kraken', file: 'exchange-captures/KRAKEN.ws.50.0', by: './captures/kraken.mjs' },
  { venue: 'okx', file: 'exchange-captures/OKX.ws.1.0', by: './captures/okx.mjs' },
  { venue: 'bybit', file: 'exchange-captures/BYBIT.ws.25.0', by: './captures/bybit.mjs' },
]

function requireEqual(venue, books, velox, feed) {
  for (const [symbol, { bids, asks }] of books) {
    const expected = JSON.stringify({ bids: bids.depth(DEPTH), asks: asks.depth(DEPTH) })
    const got = JSON.stringify(velox.depth(feed, symbol, DEPTH))
    if (got !== expected) throw new Error(`${venue} ${symbol}: the feed ends with ${got}, not with ${expected}`)
  }
}

function repeated(times, run) {
  return () => {
    for (let n = 0; n < times; n++) run()
  }
}

async function capture({ venue, file, by }, velox) {
  const all = messages(file)
  if (!all) return console.error(`SKIPPED: ${venue}: ../shared/data/${file} is not on this machine`)
  const plain = await import(by)
  const books = plain.books(all)
  const symbols = [...books.keys()]
  const times = Math.ceil(LEAST_MESSAGES / all.length)
  const entries = [['JSON.parse + sorted arrays', () => repeated(times, () => plain.books(all))]]
  if (plain.checkedBooks) {
    entries.push(['the same, with checksums', () => repeated(times, () => plain.checkedBooks(all))])
  }
  if (velox) {
    requireEqual(venue, books, velox, velox.books(venue, symbols, all))
    entries.push(['velox Feed', () => repeated(times, () => velox.books(venue, symbols, all))])
  }
  const nanos = await interleaved(entries, ROUNDS)
  const figures = entries.map(([name]) => [name, summary(nanos.get(name).map((ns) => ns / times / all.length))])
  for (const [name, { median, least, most }] of figures) {
    const ratio = velox ? `${(median / figures.at(-1)[1].median).toFixed(2)}×` : ''
    console.log(
      `| ${venue} (${all.length}) | ${name} | ${median.toFixed(0)} | ${least.toFixed(0)} – ${most.toFixed(0)} | ${ratio} |`,
    )
    console.log(JSON.stringify({ bench: 'books-js/raw', venue, name, nsPerMessage: { median, least, most } }))
  }
}

export async function rawCaptures() {
  const velox = await optional('./captures/velox.mjs', 'raw captures through velox Feed')
  console.log('\n| capture (messages) | by | ns a message | least – most | velox is faster |\n|---|---|---|---|---|')
  for (const one of captures) await capture(one, velox)
}
