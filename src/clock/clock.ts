import type { clock as Clock } from '../../index.js'
import { native } from '../native.js'

export const initTsc = (): void => native.initTsc()
export const rdtsc = (): bigint => native.rdtsc()
export const tscToNs = (ticks: bigint): bigint => native.tscToNs(ticks)

// `nanos` is the native function itself: a wrapper would cost a tenth of it.
export const clock: typeof Clock = Object.freeze({
  now: native.clockNow,
  nanos: native.clockNanos,
  toEpochNanos: (ns: bigint) => native.clockToEpochNanos(ns),
  get calibration() {
    return native.clockCalibration() as (typeof Clock)['calibration']
  },
})
