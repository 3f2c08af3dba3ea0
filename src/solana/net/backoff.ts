const FIRST_MILLIS = 100
const MOST_MILLIS = 30_000

/**
 * How long to wait after so many failures in a row: doubled each time, between half and the whole of it by chance, so that
 * clients that failed together don't come back together.
 */
export function backoffMillis(failures: number, random: () => number = Math.random): number {
  const whole = Math.min(MOST_MILLIS, FIRST_MILLIS * 2 ** Math.min(failures - 1, 20))
  return whole * (0.5 + random() / 2)
}
