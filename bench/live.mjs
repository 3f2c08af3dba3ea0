// From a server's send stamp to a book that JavaScript sees, over loopback. The server is a process of its own: it stamps each
// message right before it sends it, in the quantity of the best bid, and the loop here looks at the same clock once a batch
// has come and `book.top()` shows the stamp. Prints one line of JSON, µs. `node bench/live.mjs [messages a second] [seconds]`
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Instrument, L2Book, pipeline } from 'velox-engine'
import { live } from 'velox-engine/feed'
import { WebSocketServer } from 'ws'

const numbers = process.argv.slice(2).map(Number).filter(Number.isFinite)
const [rate = 10_000, seconds = 10] = numbers
const WARM_UP_SECONDS = 2
const now = () => process.hrtime.bigint()

/** Answers one REST call, then talks to one client until it goes. Its clock is the monotonic one of the machine. */
async function serve() {
  const body = '{"lastUpdateId":0,"bids":[["61800.00","1"]],"asks":[["61900.00","1"]]}'
  const server = createServer((_, answer) => answer.end(body))
  const sockets = new WebSocketServer({ server })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
  const [socket] = await once(sockets, 'connection')
  socket.on('close', () => process.exit())
  const begun = now()
  for (let u = 1n; ; u++) {
    while (((now() - begun) * BigInt(rate)) / 1_000_000_000n < u) await turn()
    const ask = 61_803 + Number(u % 1000n) / 100
    socket.send(
      `{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723100000000,"s":"BTCUSDT","U":${u},"u":${u},` +
        `"b":[["61801.00","${now()}"]],"a":[["${ask.toFixed(2)}","125"]]}}`,
    )
  }
}

async function measure() {
  const file = fileURLToPath(import.meta.url)
  const server = spawn(process.execPath, [file, String(rate), 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = String((await once(server.stdout, 'data'))[0]).trim()
  const instrument = new Instrument({ symbol: 'BTCUSDT', venue: 'binance-spot', tick: '0.01', lot: '1' })
  const market = live({
    venue: 'binance-spot',
    symbols: ['BTCUSDT'],
    instruments: [instrument],
    url: `ws://127.0.0.1:${port}`,
    restUrl: `http://127.0.0.1:${port}`,
  })
  const book = new L2Book({ instrument })
  const run = await pipeline('live').from(market).book(book).start()
  const from = now() + BigInt(WARM_UP_SECONDS * 1e9)
  const until = from + BigInt(seconds * 1e9)
  const micros = []
  let last = 0
  for await (const _ of run.batches()) {
    const top = book.top()
    if (top === undefined || top.sequence === last) continue
    last = top.sequence
    const seen = now()
    if (seen > from) micros.push(Number(seen - BigInt(top.bidQty)) / 1_000)
    if (seen > until) break
  }
  const report = await run.stop()
  server.kill()
  const sorted = micros.toSorted((a, b) => a - b)
  const at = (q) => sorted[Math.floor(q * (sorted.length - 1))]
  const { gaps, errors } = report.stages[0].live
  console.log(
    JSON.stringify({ rate, seen: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1), gaps, errors }),
  )
}

await (process.argv.includes('serve') ? serve() : measure())
