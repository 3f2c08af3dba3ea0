import type { MarketEvent, Pipeline, Run } from '../../../index.js'
import { pipeline } from '../../pipeline/pipeline.js'
import { count, discard, toFile } from '../../pipeline/sinks.js'
import { replay as replayOf, sample } from '../../pipeline/sources.js'
import { isRight } from '../right.js'
import { isScreen, lookOf, Screen } from '../screen.js'
import { KINDS, type Kind, type ReplayOptions } from './command.js'
import { drawBooks, drawFacts } from './draw.js'
import { Market } from './market.js'

const FRAME_MILLIS = 100

type Events = Pipeline<typeof MarketEvent, string>

/** Every event past a book for each market, counted by kind, its trades added up, and into a file where one was named. */
function declare(o: ReplayOptions, markets: readonly Market[], source: ReturnType<typeof replayOf>): Events {
  const byId = new Map(markets.map((market) => [market.instrument.id, market]))
  let all: Events = pipeline('replay').from(source) as Events
  for (const market of markets)
    all = all.book(market.book, { name: `book ${market.instrument.symbol}`, verify: 'quotes' }) as Events
  for (const kind of KINDS.filter((one) => one !== 'trade'))
    all = all.tee((p) => p.filter((event) => event.kind.eq(kind), { name: `only ${kind}` }).to(count(kind)), {
      name: `every ${kind}`,
    })
  all = all.tee((p) =>
    p
      .trades({ name: 'trade' })
      .tap((batch) => {
        for (let i = 0; i < batch.length; i++) byId.get(batch.instrument(i))?.take(batch, i)
      })
      .to(discard()),
  )
  const { out, kind } = o
  if (out === undefined) return all.to(discard())
  return (kind === undefined ? all : all.filter((event) => event.kind.eq(kind), { name: 'kind' })).to(toFile(out))
}

/** Draws the books until the run ends; nothing where there is no terminal. */
async function show(
  run: Run<typeof MarketEvent>,
  markets: readonly Market[],
  o: ReplayOptions,
  end: () => void,
): Promise<void> {
  const { stdout, stdin } = process
  if (!isScreen(stdout) || o.json) return
  const screen = new Screen(stdout, stdin, end)
  try {
    for await (const _ of run.stats({ everyMillis: FRAME_MILLIS }))
      screen.show(drawBooks(markets, o.depth, lookOf(stdout)))
  } finally {
    screen.close()
  }
}

/** `velox replay`; gives the exit code. */
export async function replay(o: ReplayOptions): Promise<number> {
  const source = replayOf(o.data === 'sample' ? sample.btcusdt : o.data, {
    pace: o.pace,
    symbols: o.symbols,
    ...(o.format !== undefined && { format: o.format }),
  })
  const markets = source.instruments.map((instrument) => new Market(instrument))
  const told = new AbortController()
  const end = () => told.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
  const timer = o.seconds === undefined ? undefined : setTimeout(end, o.seconds * 1000)
  const run = await declare(o, markets, source).start({ stopOn: told.signal })
  const [report] = await Promise.all([run.done(), show(run, markets, o, end)])
  clearTimeout(timer)

  const consumed = (name: string) => report.stages.find((stage) => stage.name === name)?.consumed ?? 0
  const trades = report.stages.find((stage) => stage.name === 'trade')?.out ?? 0
  const events = Object.fromEntries(KINDS.map((kind) => [kind, kind === 'trade' ? trades : consumed(kind)])) as Record<
    Kind,
    number
  >
  const facts = markets.map((market) => market.facts)
  if (o.json) {
    const { balanced, gaps, leftOut, perSecond, verified } = report
    const account = { balanced, gaps, leftOut, ...(verified && { verified }) }
    const books = facts.map((fact, i) => ({ ...fact, depth: depthOf(markets[i] as Market, o.depth) }))
    console.log(JSON.stringify({ events, perSecond, ...account, markets: books }))
  } else {
    const look = lookOf(process.stdout)
    console.log([...drawBooks(markets, o.depth, look), '', ...drawFacts(report, events, facts, look)].join('\n'))
  }
  return isRight(report) ? 0 : 1
}

/** The best levels of a side as pairs of decimals. */
function depthOf({ book, instrument }: Market, levels: number) {
  const { bids, asks } = book.depth(levels)
  const pairs = (side: typeof bids) =>
    side.map(({ price, qty }) => [instrument.formatPrice(price), instrument.formatQty(qty)])
  return { bids: pairs(bids), asks: pairs(asks) }
}
