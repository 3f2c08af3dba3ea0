export { L2Book } from './book/l2-book.js'
export { OrderBook } from './book/order-book.js'
export { BundleBuilder } from './bundle/bundle-builder.js'
export { clock, initTsc, rdtsc, tscToNs } from './clock/clock.js'
export { VeloxError } from './errors/velox-error.js'
export { when } from './expression/expression.js'
export { param } from './expression/param.js'
export { PrometheusMetrics } from './metrics/prometheus-metrics.js'
export { report } from './metrics/report.js'
export { StageMetrics } from './metrics/stage-metrics.js'
export { pipeline } from './pipeline/pipeline.js'
export { count, discard, toFile } from './pipeline/sinks.js'
export { fromIterable, poisson, replay, sample } from './pipeline/sources.js'
export { activeTransactions, Bundle } from './record/bundle.js'
export {
  array,
  bool,
  bytes,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  nanos,
  Side,
  side,
  text,
  u8,
  u16,
  u32,
  u64,
} from './record/fields.js'
export { Instrument } from './record/instrument.js'
export { MarketEvent, Trade } from './record/market.js'
export { record } from './record/record.js'
export { Transaction } from './record/transaction.js'
export { BroadcastRing } from './ring/broadcast-ring.js'
export { LatestRing } from './ring/latest-ring.js'
export { MpscRing } from './ring/mpsc-ring.js'
export { RingBuffer } from './ring/ring-buffer.js'
export { defineStage } from './stage/define-stage.js'
