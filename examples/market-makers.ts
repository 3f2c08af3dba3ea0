// Section 2 of the founding document: three market makers, each in a worker of its own, and a monitor on one book.
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { OrderBook, type SharedBook, VeloxError } from 'velox-engine'

function attempt(what: string, update: () => void): void {
  try {
    update()
  } catch (error) {
    if (!(error instanceof VeloxError && error.code === 'VELOX_BOOK_CONTENDED')) throw error
    console.error(`${what} timeout: ${error.message}`)
  }
}

async function maker(id: number, book: OrderBook): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const price = 10_000 + id * 100 + i * 10
    const qty = 100 + i * 5
    attempt(`Maker ${id} bid`, () => book.updateBid(price, qty, i))
    attempt(`Maker ${id} ask`, () => book.updateAsk(price + 50, qty, i))
    await sleep(1)
  }
}

const dollars = (ticks: number | undefined) => (ticks === undefined ? 'none' : `$${(ticks / 10_000).toFixed(2)}`)

async function monitor(book: OrderBook): Promise<void> {
  for (let i = 0; i < 50; i++) {
    const [bid, ask, spread] = [book.bestBid(), book.bestAsk(), book.spread()].map(dollars)
    console.log(`Best Bid: ${bid} | Best Ask: ${ask} | Spread: ${spread}`)
    await sleep(50)
  }
}

if (isMainThread) {
  const book = new OrderBook()
  for (const id of [0, 1, 2]) new Worker(new URL(import.meta.url), { workerData: { id, shared: book.share() } })
  await monitor(book)
} else {
  const { id, shared } = workerData as { id: number; shared: SharedBook }
  await maker(id, OrderBook.attach(shared))
}
