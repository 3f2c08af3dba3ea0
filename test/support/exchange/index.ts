// A local exchange: one venue's WebSocket and REST on loopback, over a capture or over markets that it makes up, which
// misbehaves when asked to. `startExchange` runs it here, `spawnExchange` in a process of its own.
export { captureFile, readCapture } from './captures.js'
export { epochNanos } from './clock.js'
export { Exchange, startExchange } from './exchange.js'
export type { Aim, Counts } from './faults.js'
export type { MarketSpec, Truth } from './market.js'
export { type ExchangeOptions, hasCapture } from './options.js'
export { type ExchangeProcess, spawnExchange } from './process.js'
export type { VenueName } from './venues/index.js'
