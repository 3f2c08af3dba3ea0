import type { Level } from './book.js'

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  return c
})

/** CRC-32 (IEEE 802.3, reflected) of ASCII text, unsigned. */
export function crc32(text: string): number {
  let c = 0xffffffff
  for (let i = 0; i < text.length; i++) c = (c >>> 8) ^ (table[(c ^ text.charCodeAt(i)) & 0xff] ?? 0)
  return (c ^ 0xffffffff) >>> 0
}

const bare = (decimal: string) => decimal.replace('.', '').replace(/^0+/, '')

/**
 * Kraken's checksum: ten asks from the lowest, then ten bids from the highest, each price and volume without its point
 * and leading zeros. https://docs.kraken.com/api/docs/guides/spot-ws-book-v1
 */
export function krakenChecksum(bids: readonly Level[], asks: readonly Level[]): string {
  let text = ''
  for (const side of [asks, bids]) for (const [price, qty] of side.slice(0, 10)) text += bare(price) + bare(qty)
  return String(crc32(text))
}

/**
 * The checksum of OKX and Bitget: 25 levels a side, bid and ask in turn, `price:size` joined by colons, as a signed
 * number. https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
 */
export function alternatingChecksum(bids: readonly Level[], asks: readonly Level[]): number {
  const parts: string[] = []
  for (let i = 0; i < 25; i++) for (const level of [bids[i], asks[i]]) if (level) parts.push(level[0], level[1])
  return crc32(parts.join(':')) | 0
}
