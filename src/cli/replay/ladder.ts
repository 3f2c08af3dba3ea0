import type { Level } from '../../../index.js'
import { type Look, line, paint } from '../table.js'
import type { Market } from './market.js'

const GAP = 2
/** A bar shorter than this tells nothing. */
const SHORTEST = 4
const LONGEST = 40
/** Eighths of a letter. */
const EIGHTHS = ' ▏▎▍▌▋▊▉'

/** A bar of so many letters from the left; from the right whole letters only, as there are no eighths from there. */
function bar(share: number, letters: number, fromRight: boolean): string {
  const eighths = Math.round(share * letters * 8)
  const whole = Math.floor(eighths / 8)
  if (fromRight) return '█'.repeat(Math.round(eighths / 8)).padStart(letters)
  const rest = EIGHTHS[eighths % 8] as string
  return `${'█'.repeat(whole)}${rest === ' ' ? '' : rest}`.padEnd(letters)
}

interface Row {
  readonly price: string
  readonly qty: string
  readonly share: number
}

function rowsOf({ instrument }: Market, levels: readonly Level[], most: number): Row[] {
  return levels.map(({ price, qty }) => ({
    price: instrument.formatPrice(price),
    qty: instrument.formatQty(qty),
    share: most > 0 ? qty / most : 0,
  }))
}

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length))

/** A book's best levels side by side, the best in the first line: bids to the left, a bar as long as its quantity. */
export function ladder(market: Market, levels: number, look: Look): string[] {
  const { bids, asks } = market.book.depth(levels)
  const most = Math.max(0, ...[...bids, ...asks].map(({ qty }) => qty))
  const [left, right] = [rowsOf(market, bids, most), rowsOf(market, asks, most)]
  const qtyWidth = widest([...left, ...right].map(({ qty }) => qty))
  const priceWidth = widest([...left, ...right].map(({ price }) => price))
  // In a file or a pipe a line has no end: a terminal's width is what is read well there too.
  const columns = Math.min(look.columns, 80)
  const room = Math.floor((columns - 2 * (qtyWidth + priceWidth + 2 * GAP) - 3) / 2)
  const letters = room < SHORTEST ? 0 : Math.min(LONGEST, room)
  const gap = ' '.repeat(letters > 0 ? GAP : 0)
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const [bid, ask] = [left[i], right[i]]
    const bidBar = paint(bar(bid?.share ?? 0, letters, true), 'good', look.color)
    const askBar = paint(bar(ask?.share ?? 0, letters, false), 'bad', look.color)
    const bidText = `${(bid?.qty ?? '').padStart(qtyWidth)}${gap}${bidBar}  ${(bid?.price ?? '').padStart(priceWidth)}`
    const askText = `${(ask?.price ?? '').padEnd(priceWidth)}  ${askBar}${gap}${(ask?.qty ?? '').padStart(qtyWidth)}`
    return `${bidText} │ ${askText}`.trimEnd()
  })
}

/** What a book is and how it stands, over its ladder. */
export function heading({ instrument, book }: Market, look: Look): string {
  const top = book.top()
  const spread = top ? `  spread ${instrument.formatPrice(top.ask - top.bid)}` : ''
  const stands = book.state === 'live' ? 'bold' : 'bad'
  return line(`${instrument.symbol}  ${instrument.venue}  ${book.state}${spread}`, stands, look)
}
