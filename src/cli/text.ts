// Numbers in five letters or six, so that a table of them fits a narrow terminal.

function threeDigits(n: number): string {
  return n.toFixed(n < 9.995 ? 2 : n < 99.95 ? 1 : 0)
}

function scaled(n: number, units: readonly string[]): string {
  let unit = 0
  let value = n
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000
  return threeDigits(value) + units[unit]
}

const SIZES = ['', 'k', 'M', 'G', 'T', 'P']

/** A count: exact below 100,000, then three digits. */
export const count = (n: number): string => (n < 100_000 ? String(n) : scaled(n, SIZES))

/** So many a second. */
export const rate = (n: number): string => (n === 0 ? '0' : scaled(n, SIZES))

/** 0 to 1 as percent. */
export const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0)}%`

const HOUR = 3600
const two = (n: number) => String(n).padStart(2, '0')

/** A time, in ns. */
export function time(nanos: number): string {
  if (nanos < 999.5) return `${Math.round(nanos)}ns`
  const seconds = Math.round(nanos / 1e9)
  if (seconds < 60) return scaled(nanos, ['ns', 'µs', 'ms', 's'])
  if (seconds < HOUR) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`
  return `${Math.floor(seconds / HOUR)}h${two(Math.floor((seconds % HOUR) / 60))}m`
}

/** Characters that a terminal draws over the one before, and those that it draws twice as wide: CJK, Hangul, emoji. */
const NONE_WIDE = /^[\p{Mn}\p{Me}]$/u
const TWICE_WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})$/u
const wideOf = (character: string): number => (NONE_WIDE.test(character) ? 0 : TWICE_WIDE.test(character) ? 2 : 1)

/** How many columns of a terminal a text takes. */
export function width(text: string): number {
  // Most are plain, and there are many of them.
  if (/^[ -~]*$/.test(text)) return text.length
  return [...text].reduce((sum, character) => sum + wideOf(character), 0)
}

/** As much of a text as so many columns have room for. */
export function cut(text: string, room: number): string {
  if (width(text) <= room) return text
  let [kept, free] = ['', room - 1]
  for (const character of text) {
    free -= wideOf(character)
    if (free < 0) break
    kept += character
  }
  return `${kept}…`
}

/** On one line, and without what would command a terminal: names come from files that any program may have written. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
