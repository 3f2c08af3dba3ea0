// A live market for a few seconds: what its book says, and how its connection stands. Without arguments it talks to an
// exchange on this machine that makes its market up; `node build/examples/live.js kraken XBT/USD` to the venue itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { discard, L2Book, pipeline } from 'velox-engine'
import { live, type Venue } from 'velox-engine/feed'

const SECONDS = 3
const [venue = 'binance-spot', symbol] = process.argv.slice(2) as [Venue?, string?]

/** The exchange that the tests use, in a process of its own: its addresses and its symbols. */
async function localExchange() {
  const program = new URL('../exchange/main.js', import.meta.url).pathname
  const child = spawn(process.execPath, [program, JSON.stringify({ venue, market: 'synthetic' })])
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, ...(JSON.parse(line) as { url: string; restUrl: string; symbols: string[] }) }
}

const local = symbol === undefined ? await localExchange() : undefined
const place = local ? { url: local.url, restUrl: local.restUrl } : {}
const market = live({ venue, symbols: [symbol ?? (local?.symbols[0] as string)], ...place })
const instrument = market.instrument()
const book = new L2Book({ instrument })
const run = await pipeline('live').from(market).book(book).to(discard()).start()

for (let second = 1; second <= SECONDS; second++) {
  await delay(1_000)
  const top = book.top()
  const text = top && `${instrument.formatPrice(top.bid)} / ${instrument.formatPrice(top.ask)}`
  console.log(`${instrument.symbol} ${text ?? 'has no book yet'} (${book.state})`)
}
console.log(String(await run.stop()))
local?.child.stdin.end()
