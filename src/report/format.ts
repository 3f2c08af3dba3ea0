const UNITS = [
  ['ns', 1],
  ['µs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
] as const

/** A duration in the unit that suits it, as the text of a report has it: '25.73 µs'. */
export function duration(nanos: number): string {
  const [unit, size] = UNITS.findLast(([, size]) => nanos >= size) ?? UNITS[0]
  return `${size === 1 ? Math.round(nanos) : (nanos / size).toFixed(2)} ${unit}`
}

/** A decade, as an axis has it: '10 µs'. */
export function decade(exponent: number): string {
  const [unit, size] = UNITS[Math.min(Math.floor(exponent / 3), 3)] ?? UNITS[0]
  return `${count(10 ** exponent / size)} ${unit}`
}

/** '1,234,567'. */
export function count(n: number): string {
  return n.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** Three digits and a letter, for where room is short: '1.23 M'. */
export function short(n: number): string {
  if (n < 1000) return n.toLocaleString('en-US', { maximumSignificantDigits: 3 })
  const [size, letter] = n < 999_500 ? [1e3, 'k'] : n < 999_500_000 ? [1e6, 'M'] : [1e9, 'G']
  return `${(n / size).toLocaleString('en-US', { maximumSignificantDigits: 3 })} ${letter}`
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** A name where there is room for so many characters. */
export function clipped(name: string, most: number): string {
  const characters = [...name]
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : name
}
