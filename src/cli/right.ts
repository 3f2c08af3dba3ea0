import type { Report } from '../../index.js'

/** Whether the accounts add up, no data is missing, and the books agree with every quote that there is. */
export function isRight({ balanced, gaps, verified, nonDeterministic }: Report): boolean {
  const isWhole = nonDeterministic.length === 0
  const agrees = !verified || (verified.checked === verified.agreed && (verified.checked > 0 || !isWhole))
  return balanced && gaps === 0 && agrees
}
