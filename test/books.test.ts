import { once } from 'node:events'
import { cpSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { count, Instrument, L2Book, OrderBook, pipeline, poisson } from 'velox-engine'
import { expect, test } from 'vitest'
import { expectCode, rejected } from './support/errors.js'
import { root } from './support/node.js'

const btc = () => new Instrument({ symbol: 'BTCUSDT', venue: 'test', tick: '0.10', lot: '0.001' })

test('an instrument turns decimals into ticks and lots, exactly', () => {
  const i = btc()
  expect([i.price('61800.30'), i.qty('0.5'), i.formatPrice(618_003), i.formatQty(500)]).toEqual([
    618_003,
    500,
    '61800.30',
    '0.500',
  ])
  expect(btc().id).toBe(i.id)
  expectCode(() => i.price('61800.35'), 'VELOX_INVALID_VALUE', 'price', 'multiple of 0.10')
  expectCode(() => i.qty('x'), 'VELOX_INVALID_VALUE', 'qty', 'decimal')
  expectCode(() => i.price(61_800.3 as never), 'VELOX_INVALID_VALUE', 'a decimal as text')
  expectCode(() => i.price('9007199254740993'), 'VELOX_UNSAFE_INTEGER')
  expectCode(() => new Instrument({ symbol: 'X', tick: '0', lot: '1' }), 'VELOX_INVALID_VALUE', 'tick')
  expectCode(() => new Instrument({ symbol: 'X', tic: '1', lot: '1' } as never), 'VELOX_UNKNOWN_OPTION', 'mean tick')
})

test('an order book sums up what a map sums up', () => {
  const update = fc.record({
    bid: fc.boolean(),
    price: fc.integer({ min: -9, max: 9 }),
    delta: fc.integer({ min: -3, max: 5 }),
  })
  fc.assert(
    fc.property(fc.array(update, { maxLength: 60, size: 'max' }), (updates) => {
      const book = new OrderBook()
      const sides = [new Map<number, number>(), new Map<number, number>()] as const
      for (const { bid, price, delta } of updates) {
        if (bid) book.updateBid(price, delta, 1)
        else book.updateAsk(price, delta, 1n)
        const side = sides[bid ? 0 : 1]
        side.set(price, (side.get(price) ?? 0) + delta)
      }
      const shown = (side: Map<number, number>) =>
        [...side].filter(([, qty]) => qty > 0).map(([price, qty]) => ({ price, qty }))
      const bids = shown(sides[0]).sort((a, b) => b.price - a.price)
      const asks = shown(sides[1]).sort((a, b) => a.price - b.price)
      expect(book.depth(100)).toEqual({ bids, asks })
      expect([book.bestBid(), book.bestAsk()]).toEqual([bids[0]?.price, asks[0]?.price])
      const spread = bids[0] && asks[0] ? asks[0].price - bids[0].price : undefined
      expect(book.spread()).toBe(spread)
      expect(book.qtyAt('bid', 3)).toBe(sides[0].get(3) ?? 0)
    }),
  )
})

test('an order book refuses what is no price, side or time, and goes on', () => {
  const book = new OrderBook()
  expectCode(() => book.updateBid(1.5, 1, 1), 'VELOX_INVALID_VALUE', 'price')
  expectCode(() => book.updateBid(2 ** 53, 1, 1), 'VELOX_UNSAFE_INTEGER', 'price')
  expectCode(() => book.updateAsk(1, '1' as never, 1), 'VELOX_INVALID_VALUE', 'delta')
  expectCode(() => book.updateAsk(1, 1, -1), 'VELOX_INVALID_VALUE', 'timestamp')
  expectCode(() => book.qtyAt('buy' as never, 1), 'VELOX_INVALID_VALUE', "'bid' or 'ask'")
  expectCode(() => book.depth(-1), 'VELOX_INVALID_VALUE', 'levels')
  book.setBid(7, 3, 1)
  expect(book.bestBid()).toBe(7)
})

test('an L2 book shows whole events', () => {
  const book = new L2Book({ instrument: btc() })
  expect([book.state, book.top(), book.crossed]).toEqual(['empty', undefined, false])
  book.applySnapshot({
    bids: [['61800.10', '2.5']],
    asks: [
      ['61800.30', '1'],
      ['61800.50', '4'],
    ],
    sequence: 7,
  })
  expect(book.top()).toEqual({ bid: 618_001, bidQty: 2_500, ask: 618_003, askQty: 1_000, sequence: 7 })
  book.apply(
    [
      { side: 'ask', price: 618_003, qty: 0 },
      { side: 'bid', price: 618_002, qty: 9 },
    ],
    8,
  )
  expect(book.top()).toEqual({ bid: 618_002, bidQty: 9, ask: 618_005, askQty: 4_000, sequence: 8 })
  expect(book.depth(1)).toEqual({ bids: [{ price: 618_002, qty: 9 }], asks: [{ price: 618_005, qty: 4_000 }] })
  expect([book.qtyAt('bid', 618_001), book.vwap('bid', 10), book.vwap('bid', 10_000)]).toEqual([
    2_500,
    (9 * 618_002 + 618_001) / 10,
    undefined,
  ])
  expect(book.imbalance(1)).toBeCloseTo((9 - 4_000) / 4_009, 12)
  book.set('bid', 618_006, 1)
  expect([book.crossed, book.state, book.top()?.sequence]).toEqual([true, 'live', 8])
})

test('an event with one bad level changes nothing', () => {
  const book = new L2Book({ instrument: btc() })
  book.apply(
    [
      { side: 'bid', price: 1, qty: 1 },
      { side: 'ask', price: 2, qty: 1 },
    ],
    1,
  )
  expectCode(
    () =>
      book.apply(
        [
          { side: 'bid', price: 1, qty: 5 },
          { side: 'ask', price: 2, qty: -1 },
        ],
        2,
      ),
    'VELOX_INVALID_VALUE',
  )
  expectCode(() => book.applySnapshot({ bids: [['0.05', '1']], asks: [], sequence: 3 }), 'VELOX_INVALID_VALUE')
  expect(book.top()).toEqual({ bid: 1, bidQty: 1, ask: 2, askQty: 1, sequence: 1 })
  expectCode(() => new L2Book({ instrument: {} as never }), 'VELOX_INVALID_VALUE', 'an Instrument')
})

test('what is no list of levels is refused and the book stays', () => {
  const book = new L2Book({ instrument: btc() })
  book.set('bid', 1, 1)
  for (const levels of [42, {}, '', null, [null], { length: -1 }, () => {}]) {
    expectCode(() => book.apply(levels as never, 1), 'VELOX_INVALID_VALUE')
    expectCode(() => book.applySnapshot({ bids: levels, asks: [], sequence: 1 } as never), 'VELOX_INVALID_VALUE')
  }
  expectCode(() => book.applySnapshot({ sequence: 1 } as never), 'VELOX_INVALID_VALUE', 'bids')
  expectCode(() => new OrderBook({ instrument: 'x' as never }), 'VELOX_INVALID_VALUE', 'an Instrument')
  expect(book.qtyAt('bid', 1)).toBe(1)
})

test('a book that a pipeline keeps has no second writer, and is free after it', async () => {
  const market = poisson({ perSecond: 1e6 })
  const book = new L2Book({ instrument: market.instrument() })
  const chain = pipeline('first').from(market).book(book).to(count())
  const run = await chain.start()
  expectCode(() => book.set('bid', 1, 1), 'VELOX_BOOK_OWNED', 'the pipeline first')
  expect((await rejected(chain.start())).code).toBe('VELOX_BOOK_OWNED')
  await run.stop()
  book.set('bid', 1, 1)
  expect(book.qtyAt('bid', 1)).toBe(1)
})

test('a book is shared with workers, whose updates add up, as long as somebody holds it', async () => {
  const tick = new Instrument({ symbol: 'SHARED', tick: '0.01', lot: '1' })
  const book = new OrderBook({ instrument: tick, tickShift: 3 })
  const l2 = new L2Book({ instrument: tick })
  l2.apply(
    [
      { side: 'bid', price: 5, qty: 6 },
      { side: 'ask', price: 9, qty: 1 },
    ],
    7,
  )
  const code = `
    import { workerData } from 'node:worker_threads'
    import { L2Book, OrderBook } from 'velox-engine'
    const book = OrderBook.attach(workerData.book)
    for (let i = 0; i < 10_000; i++) {
      book.updateBid(100 + (i % 20), 1, i)
      book.updateAsk(200 + (i % 20), 2, i)
    }
    const l2 = L2Book.attach(workerData.l2)
    if (l2.instrument.symbol !== 'SHARED' || l2.qtyAt('bid', 5) !== 6) process.exit(1)`
  const file = join(mkdtempSync(join(root, 'build/shared-')), 'worker.mjs')
  writeFileSync(file, code)
  const codes = [1, 2, 3].map(() => {
    const worker = new Worker(file, { workerData: { book: book.share(), l2: l2.share() } })
    return new Promise((resolve) => worker.on('exit', resolve))
  })
  expect(await Promise.all(codes)).toEqual([0, 0, 0])
  expect([book.bestBid(), book.bestAsk(), book.qtyAt('bid', 100)]).toEqual([119, 200, 1_500])
  // Groups of eight ticks, bids rounded down and asks up, as a price in a group is no better than its name.
  expect(book.depth(9).bids.reduce((sum, { qty }) => sum + qty, 0)).toBe(30_000)
  expect(book.depth(9).bids.every(({ price }) => price % 8 === 0)).toBe(true)
  expect(l2.top()?.ask).toBe(9)

  expectCode(() => OrderBook.attach({} as never), 'VELOX_INVALID_VALUE', 'what share() of a book gave')
  expectCode(() => OrderBook.attach(l2.share()), 'VELOX_INVALID_VALUE', 'what share() of such a book gave')
})

test('one book has one writer, among handles and threads, until that one lets go or ends', async () => {
  const instrument = new Instrument({ symbol: 'ONE', tick: '0.01', lot: '1' })
  const book = new L2Book({ instrument })
  const other = L2Book.attach(book.share())
  book.set('bid', 1, 1)
  for (let turn = 0; turn < 3; turn++) {
    expectCode(() => other.set('bid', 2, 1), 'VELOX_BOOK_OWNED', 'another handle')
    book.set('bid', 1, 2 + turn)
  }
  expect([other.qtyAt('bid', 1), other.qtyAt('bid', 2)]).toEqual([4, 0])
  book.release()
  other.set('bid', 2, 5)
  expectCode(() => book.set('bid', 1, 9), 'VELOX_BOOK_OWNED', 'another handle')
  other.release()

  const code = `
    import { parentPort, workerData } from 'node:worker_threads'
    import { L2Book } from 'velox-engine'
    const book = L2Book.attach(workerData)
    book.set('ask', 9, 3)
    parentPort.on('message', () => parentPort.close())
    parentPort.postMessage('written')`
  const file = join(mkdtempSync(join(root, 'build/writer-')), 'worker.mjs')
  writeFileSync(file, code)
  for (const end of ['terminated', 'ends by itself']) {
    const worker = new Worker(file, { workerData: book.share() })
    await once(worker, 'message')
    expectCode(() => book.set('ask', 9, 1), 'VELOX_BOOK_OWNED', 'another handle')
    expect(book.qtyAt('ask', 9)).toBe(3)
    const ended = once(worker, 'exit')
    if (end === 'terminated') await worker.terminate()
    else worker.postMessage('end')
    await ended
    book.set('ask', 9, 4)
    book.release()
  }
})

test('the handle that wrote a book hands it on to its pipeline, and another one can not', async () => {
  const market = poisson({ perSecond: 1e6 })
  const book = new L2Book({ instrument: market.instrument() })
  book.set('bid', 1, 1)
  const other = L2Book.attach(book.share())
  const chain = (book: L2Book) => pipeline('p').from(market).book(book).to(count())
  expect((await rejected(chain(other).start())).code).toBe('VELOX_BOOK_OWNED')
  const run = await chain(book).start()
  expectCode(() => book.set('bid', 1, 1), 'VELOX_BOOK_OWNED', 'the pipeline p')
  await run.stop()
  other.set('bid', 1, 1)
  expectCode(() => book.set('bid', 1, 1), 'VELOX_BOOK_OWNED', 'another handle')
})

test('a book is shared as the same one each time, by each of its handles', () => {
  const book = new OrderBook({ tickShift: 2 })
  expect(book.share()).toEqual(book.share())
  expect(OrderBook.attach(book.share()).share()).toEqual(book.share())
  expect(new OrderBook({ tickShift: 2 }).share()).not.toEqual(book.share())
  const l2 = new L2Book({ instrument: btc() })
  expect(L2Book.attach(l2.share()).share()).toEqual(l2.share())
  expect(new L2Book({ instrument: l2.instrument }).share()).not.toEqual(l2.share())
})

test('every group of every price shows as a number', () => {
  const most = Number.MAX_SAFE_INTEGER
  const prices = [-most, -1, 0, 1, most]
  for (let tickShift = 0; tickShift <= 52; tickShift++) {
    const book = new OrderBook({ tickShift })
    for (const price of prices) {
      book.setBid(price, 1, 0)
      book.setAsk(price, 1, 0)
    }
    const size = 2 ** tickShift
    const groups = (round: (n: number) => number) => new Set(prices.map((price) => round(price / size) * size + 0))
    const { bids, asks } = book.depth(9)
    expect(asks.map(({ price }) => price)).toEqual([...groups(Math.ceil)])
    expect(bids.map(({ price }) => price)).toEqual([...groups(Math.floor)].reverse())
    expect([bids, asks].map((levels) => levels.reduce((sum, { qty }) => sum + qty, 0))).toEqual([5, 5])
  }
  for (const tickShift of [53, -1, 0.5, '1'])
    expectCode(() => new OrderBook({ tickShift: tickShift as number }), 'VELOX_INVALID_VALUE', 'tickShift')
})

test('two copies of the package in a thread each read their own books', async () => {
  const copy = mkdtempSync(join(root, 'build/copy-'))
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true })
  for (const part of ['native', 'package.json', 'src']) symlinkSync(join(root, part), join(copy, part))
  const books = [await import('velox-engine'), await import(pathToFileURL(join(copy, 'dist/index.js')).href)].map(
    ({ Instrument, L2Book }, i) => {
      const instrument = new Instrument({ symbol: `COPY${i}`, tick: '1', lot: '1' })
      const book = new L2Book({ instrument })
      book.set('bid', 10 + i, 1)
      book.set('ask', 20 + i, 1)
      return book
    },
  )
  expect(books[0].constructor).not.toBe(books[1].constructor)
  for (let turn = 0; turn < 2; turn++) expect(books.map((book) => book.top()?.bid)).toEqual([10, 11])
})
