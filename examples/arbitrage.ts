// Section 2 of the founding document: buy on one exchange what another one pays more for.
import { OrderBook } from 'velox-engine'

interface Opportunity {
  readonly buy: string
  readonly sell: string
  readonly buyPrice: number
  readonly sellPrice: number
}

const books: Readonly<Record<string, OrderBook>> = { A: new OrderBook(), B: new OrderBook() }

function check(buy: string, sell: string): Opportunity | undefined {
  const [buyPrice, sellPrice] = [books[buy]?.bestAsk(), books[sell]?.bestBid()]
  if (buyPrice === undefined || sellPrice === undefined || buyPrice >= sellPrice) return undefined
  return { buy, sell, buyPrice, sellPrice }
}

const dollars = (ticks: number) => `$${(ticks / 10_000).toFixed(2)}`

books['A']?.updateAsk(10_000, 100, 1)
books['B']?.updateBid(10_050, 100, 1)

const found = check('A', 'B') ?? check('B', 'A')
if (found) {
  const { buy, sell, buyPrice, sellPrice } = found
  const profit = dollars(sellPrice - buyPrice)
  console.log(
    `Arbitrage found! Buy on ${buy} at ${dollars(buyPrice)}, Sell on ${sell} at ${dollars(sellPrice)}, Profit: ${profit}`,
  )
}
