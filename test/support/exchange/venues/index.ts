import type { Protocol } from '../protocol.js'
import { binance } from './binance.js'
import { bitget } from './bitget.js'
import { bybit } from './bybit.js'
import { coinbase } from './coinbase.js'
import { kraken } from './kraken.js'
import { kucoin } from './kucoin.js'
import { okx } from './okx.js'

export type VenueName =
  | 'binance-spot'
  | 'binance-usdm'
  | 'binance-coinm'
  | 'kraken'
  | 'okx'
  | 'bybit'
  | 'coinbase'
  | 'kucoin'
  | 'bitget'

export const protocols: Readonly<Record<VenueName, Protocol>> = {
  'binance-spot': binance('spot'),
  'binance-usdm': binance('usdm'),
  'binance-coinm': binance('coinm'),
  kraken,
  okx,
  bybit,
  coinbase,
  kucoin,
  bitget,
}
