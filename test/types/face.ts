// What the public types promise, checked by the compiler: `tsc -p test/types`.
import {
  type Batch,
  type BoolExpr,
  Bundle,
  BundleBuilder,
  count,
  defineStage,
  f64,
  type Infer,
  type Input,
  Instrument,
  L2Book,
  type MarketEvent,
  nanos,
  type Pipeline,
  pipeline,
  poisson,
  type Report,
  RingBuffer,
  record,
  replay,
  type SharedRing,
  type Side,
  sample,
  side,
  Trade,
  type Transaction,
  text,
  u8,
  u32,
  u64,
  VeloxError,
  type VeloxErrorContexts,
} from 'velox-engine'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_?: T): void => {}

// Records read and write as their fields do.
const MarketData = record('MarketData', {
  symbol: u32,
  price: f64,
  volume: u64,
  timestamp: u64.big,
  side,
  name: text(8),
})
type Read = Infer<typeof MarketData>
is<Equal<Read['timestamp'], bigint>>()
is<Equal<Read['volume'], number>>()
is<Equal<Read['side'], Side>>()
is<Equal<Read['name'], string>>()
is<Equal<Input<typeof MarketData>['timestamp'], number | bigint>>()
is<Equal<Infer<typeof u8>, number>>()
is<Equal<Infer<typeof Bundle>['transactions'], readonly Infer<typeof Transaction>[]>>()
is<Equal<Infer<typeof MarketEvent>['kind'], 'level' | 'trade' | 'quote' | 'status'>>()

// @ts-expect-error a batch has this name for itself
record('R', { length: u8 })
// @ts-expect-error not a field
record('R', { price: 7 })

// Rings take and give their type.
const ring = new RingBuffer(MarketData, 4096)
is<Equal<ReturnType<typeof ring.pop>, Read | undefined>>()
// @ts-expect-error a field is missing
ring.push({ symbol: 1 })
// @ts-expect-error a side is 'bid' or 'ask'
ring.push({ symbol: 1, price: 1, volume: 1, timestamp: 1n, side: 'buy', name: '' })
ring.drain((batch) => {
  is<Equal<typeof batch, Batch<typeof MarketData>>>()
  is<Equal<ReturnType<typeof batch.price>, number>>()
  is<Equal<ReturnType<typeof batch.timestamp>, bigint>>()
  // @ts-expect-error no such field
  batch.prize(0)
})
new RingBuffer(record('T', { time: nanos }), 4).drain((batch) =>
  is<Equal<ReturnType<typeof batch.time.micros>, number>>(),
)
is<Equal<ReturnType<typeof ring.share>, SharedRing<typeof MarketData>>>()
const texts: RingBuffer<typeof Trade> = RingBuffer.attach(Trade, new RingBuffer(Trade, 4).share())
// @ts-expect-error another type
RingBuffer.attach(u32, texts.share())

// Pipelines go on with what fits.
const instrument = new Instrument({ symbol: 'X', tick: '1', lot: '1' })
const book = new L2Book({ instrument })
const events = pipeline('p').from(replay(sample.btcusdt, { pace: { perSecond: 5 } }))
const bundles = events.book(book, { verify: 'quotes' }).trades().transactions().bundle({ max: 4 })
is<Equal<typeof bundles.type, typeof Bundle>>()
bundles.to(count())
bundles.to(new RingBuffer(Bundle, 8))
// @ts-expect-error a ring of something else
bundles.to(new RingBuffer(Trade, 8))
// @ts-expect-error bundles are no trades
bundles.transactions()
// @ts-expect-error events are no transactions
events.bundle()
// @ts-expect-error no such option
poisson({ perSecond: 1, sede: 1 })
// @ts-expect-error no such pace
replay('x', { pace: 'fast' })
export const report = async (): Promise<Report> => (await bundles.to(count()).start({ wait: 'spin' })).done()

// Conditions are made of fields by methods.
events.trades().filter((t) => t.side.eq('ask').and(t.price.gt('61800.30'), t.qty.add(1).lt(5n)))
// @ts-expect-error no such field
events.trades().filter((t) => t.prize.gt(1))
// @ts-expect-error a number is no condition
events.trades().filter((t) => t.price)
// @ts-expect-error no side
events.trades().filter((t) => t.side.eq('buy'))

// Books are known by the names of their steps, from there on, and not beyond a merge.
const two = events.book(book, { name: 'spot' }).book(book, { name: 'perp' })
const both = two.trades().filter((_, { books }) => books.spot.bid.gt(books.perp.ask))
// @ts-expect-error no such book
two.trades().filter((_, { books }) => books.spto.bid.gt(0))
// @ts-expect-error no book before it
events.trades().filter((_, { books }) => books.spot.bid.gt(0))
both.tee((all) => all.filter((_, { books }) => books.perp.bid.gt(0)).to(count()))
// @ts-expect-error a book from beyond a merge
both.merge((t) => t.receiveTs, [events.trades()]).filter((_, { books }) => books.spot.bid.gt(0))
const anyName: string = 'x'
events.book(book, { name: anyName }).filter((_, { books }) => (books[anyName] ?? books['y'])?.bid.gt(0) as BoolExpr)
// What needs no books takes a pipeline that has some.
const plain: Pipeline<typeof Trade> = both
// @ts-expect-error a pipeline that has no such book
const needs: Pipeline<typeof Trade, 'spot'> = plain
needs.to(count())

// A stage reads and writes its types.
const large = defineStage(import.meta, {
  input: Trade,
  output: MarketData,
  params: { least: 5 },
  open: ({ params, books }) => ({
    poll(batch, out) {
      is<Equal<typeof params.least, number>>()
      is<Equal<ReturnType<typeof batch.qty>, number>>()
      out.price(0, batch.price(0) + (books['book']?.top()?.bid ?? 0))
      out.keep(0)
      // @ts-expect-error no such field
      out.prize(0, 1)
      // @ts-expect-error no such parameter
      params.most
      return undefined
    },
  }),
})
const stageOut = events.trades().stage(large, { params: { least: 7 } })
is<Equal<typeof stageOut.type, typeof MarketData>>()
// @ts-expect-error no such parameter
events.trades().stage(large, { params: { most: 7 } })
// @ts-expect-error events are no trades
events.stage(large)

// Transactions are what a builder takes.
const builder = new BundleBuilder()
builder.add({ id: 1, price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 0n }, new RingBuffer(Bundle, 4))
// @ts-expect-error not a ring of bundles
builder.add({ id: 1, price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 0n }, ring)

// A code narrows its context.
export function contexts(error: unknown): VeloxErrorContexts['VELOX_CORRUPT_DATA'] | undefined {
  if (error instanceof VeloxError && error.code === 'VELOX_CORRUPT_DATA') {
    is<Equal<typeof error.context.line, number>>()
    // @ts-expect-error a context of another code
    error.context.capacity
    return error.context
  }
  // @ts-expect-error no such code
  new VeloxError('VELOX_NOTHING', {})
  return undefined
}
