import type { Transaction as Face } from '../../index.js'
import { i64, nanos, side, u16, u32, u64 } from './fields.js'
import { declare } from './record.js'

export const Transaction: typeof Face = declare('Transaction', {
  id: u64,
  price: i64,
  size: u32,
  side,
  instrument: u16,
  ingressTsNs: nanos,
})
