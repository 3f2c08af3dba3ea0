/** How a venue writes decimals: with all of a market's places (`1.500`), or without trailing zeros (`1.5`). */
export type DecimalStyle = 'fixed' | 'short'

/** `units` of 10^-`places` as decimal text, exact up to 2^53 units. */
export function decimal(units: number, places: number, style: DecimalStyle): string {
  const digits = String(units).padStart(places + 1, '0')
  if (places === 0) return digits
  const text = `${digits.slice(0, -places)}.${digits.slice(-places)}`
  return style === 'fixed' ? text : text.replace(/\.?0+$/, '')
}
