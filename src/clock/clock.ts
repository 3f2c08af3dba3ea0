import type { clock as Clock } from '../../index.js'
import { checkTicks } from '../errors/check.js'
import { native } from '../native.js'

export const initTsc = (): void => native.initTsc()
export const rdtsc = (): bigint => native.rdtsc()
export const tscToNs = (ticks: bigint): bigint => native.tscToNs(checkTicks('ticks', ticks))

// The native side leaves the time here: to make a number of it there costs as much as the call.
const cell = new Float64Array(new SharedArrayBuffer(8))
const read = native.clockBind(new Uint8Array(cell.buffer))

export const clock: typeof Clock = Object.freeze({
  now: native.clockNow,
  nanos: () => {
    read()
    return cell[0] as number
  },
  toEpochNanos: (ns: bigint) => native.clockToEpochNanos(checkTicks('ns', ns)),
  get calibration() {
    return native.clockCalibration() as (typeof Clock)['calibration']
  },
})
