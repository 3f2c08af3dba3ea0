/// <reference lib="esnext.disposable" />
/**
 * The public types of `velox-engine`. Prices and quantities are integers, ticks and lots of an {@link Instrument};
 * times are nanoseconds unless a name says otherwise. Every error is a {@link VeloxError} with a stable `code`.
 * @module
 */
export * from './types/books.js'
export * from './types/bundles.js'
export * from './types/clock.js'
export * from './types/errors.js'
export * from './types/expressions.js'
export * from './types/metrics.js'
export * from './types/pipelines.js'
export * from './types/records.js'
export * from './types/reports.js'
export * from './types/rings.js'
export * from './types/runs.js'
export * from './types/sources.js'
export * from './types/stages.js'
