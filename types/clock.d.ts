// The clock.

/** Waits for what is missing of the clock's 50 ms baseline since the package was loaded, once. */
export function initTsc(): void
/** The processor's time counter, raw. Never waits. */
export function rdtsc(): bigint
/** Nanoseconds of a counter value or difference. The ratio is frozen at calibration: absolute values never step. */
export function tscToNs(ticks: bigint): bigint
export const clock: {
  /** ns on the `tscToNs` timeline. */
  now(): bigint
  /** ns since the clock started: for durations. */
  nanos(): number
  /** Epoch ns of an instant of `now()`. Follows the OS clock, never backwards. */
  toEpochNanos(ns: bigint): bigint
  readonly calibration: {
    readonly ticksPerNano: number
    readonly errorPpm: number
    readonly source: 'tsc' | 'cntvct' | 'os'
  }
}
