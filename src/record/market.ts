import type { MarketEvent as MarketEventFace, Trade as TradeFace } from '../../index.js'
import { i64, names, nanos, side, u8, u16, u64 } from './fields.js'
import { declare } from './record.js'

/** One cache line natively. */
const CACHE_LINE = 64

export const MarketEvent: typeof MarketEventFace = declare(
  'MarketEvent',
  {
    kind: names(['level', 'trade', 'quote', 'status']),
    instrument: u16,
    side,
    flags: u8,
    price: i64,
    qty: i64,
    sequence: u64,
    exchangeTs: nanos,
    receiveTs: nanos,
  },
  CACHE_LINE,
)

export const Trade: typeof TradeFace = declare('Trade', {
  id: u64,
  instrument: u16,
  side,
  price: i64,
  qty: i64,
  exchangeTs: nanos,
  receiveTs: nanos,
})
