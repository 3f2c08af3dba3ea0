// Section 2 of the founding document: three market makers and a monitor on one book, as timers on one thread.
import { setTimeout as sleep } from 'node:timers/promises'
import { OrderBook, VeloxError } from 'velox-engine'

const book = new OrderBook()

function attempt(what: string, update: () => void): void {
  try {
    update()
  } catch (error) {
    if (!(error instanceof VeloxError && error.code === 'VELOX_BOOK_CONTENDED')) throw error
    console.error(`${what} timeout: ${error.message}`)
  }
}

async function maker(id: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const price = 10_000 + id * 100 + i * 10
    const qty = 100 + i * 5
    attempt(`Maker ${id} bid`, () => book.updateBid(price, qty, i))
    attempt(`Maker ${id} ask`, () => book.updateAsk(price + 50, qty, i))
    await sleep(1)
  }
}

const dollars = (ticks: number | undefined) => (ticks === undefined ? 'none' : `$${(ticks / 10_000).toFixed(2)}`)

async function monitor(): Promise<void> {
  for (let i = 0; i < 50; i++) {
    const [bid, ask, spread] = [book.bestBid(), book.bestAsk(), book.spread()].map(dollars)
    console.log(`Best Bid: ${bid} | Best Ask: ${ask} | Spread: ${spread}`)
    await sleep(50)
  }
}

await Promise.all([maker(0), maker(1), maker(2), monitor()])
