import type { Element } from '../../index.js'
import { strideOf } from '../ring/layout.js'
import { Bundle } from './bundle.js'
import { codecOf } from './codec.js'
import { MarketEvent, Trade } from './market.js'
import { Transaction } from './transaction.js'

const NATIVE: readonly (readonly [Element, string])[] = [
  [MarketEvent, 'MarketEvent'],
  [Trade, 'Trade'],
  [Transaction, 'Transaction'],
  [Bundle, 'Bundle'],
]

/** How the native side names a type: a record of its own by name, any other by its length in 64-bit words. */
export function typeKey(type: Element): string {
  const { signature, byteLength } = codecOf(type)
  const own = NATIVE.find(([record]) => codecOf(record).signature === signature)
  return own?.[1] ?? `words:${strideOf(byteLength) / 8}`
}
