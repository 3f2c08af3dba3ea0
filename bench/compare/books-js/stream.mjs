// The USD-M capture as what each rival is given: decoded, in order, from the snapshot on.
import { messages } from './lines.mjs'

export const file = 'binance/usdm-btcusdt_20240808.gz'
export const symbol = 'BTCUSDT'
export const tick = 0.1
export const lot = 0.001

const level = ([price, qty]) => ({ price: Number(price), qty: Number(qty) })
const levels = ({ b, a }) => ({ bids: b.map(level), asks: a.map(level) })

/** `{ snapshot, events, raw }`: levels as `{ price, qty }` in decimals, and the same as bytes. */
export function stream() {
  const all = messages(file)
  if (!all) return undefined
  const parsed = all.map((bytes) => JSON.parse(bytes.toString('latin1')))
  const at = parsed.findIndex((message) => message.lastUpdateId !== undefined)
  const { lastUpdateId, bids, asks } = parsed[at]
  const events = []
  const raw = []
  for (const [i, { data }] of parsed.entries()) {
    if (data?.e !== 'depthUpdate' || data.u < lastUpdateId) continue
    events.push({ ...levels(data), sequence: data.u })
    raw.push(all[i])
  }
  const snapshot = { ...levels({ b: bids, a: asks }), sequence: lastUpdateId }
  return { snapshot, events, raw, rawSnapshot: all[at] }
}
