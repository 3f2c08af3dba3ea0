import { cut, plain, width } from './text.js'

/** How much a cell wants to be seen. */
export type Tone = 'plain' | 'bold' | 'dim' | 'bad' | 'good'
export type Cell = string | { readonly text: string; readonly tone: Tone }

export interface Column {
  readonly title: string
  /** Text: to the left, and cut where there is no room; numbers stand to the right. */
  readonly isText?: boolean
  /** Letters that a column of numbers has at least: {@link NUMBER}. */
  readonly least?: number
  /** Left out where there is no room for all; such columns are the last. */
  readonly isExtra?: boolean
}

export interface Look {
  /** Letters that a line has room for: 1 or more. */
  readonly columns: number
  readonly color: boolean
}

/** What a column of text keeps at least. */
const LEAST = 8
/** As wide as a number gets, so that columns stand still while their numbers change. */
const NUMBER = 6
const CODES = { plain: '', bold: '\x1b[1m', dim: '\x1b[2m', bad: '\x1b[31m', good: '\x1b[32m' }

export function paint(text: string, tone: Tone, color: boolean): string {
  return color && tone !== 'plain' && text !== '' ? `${CODES[tone]}${text}\x1b[0m` : text
}

/** A line of text, cut to the width. */
export function line(text: string, tone: Tone, { columns, color }: Look): string {
  return paint(cut(plain(text), columns), tone, color)
}

/** Rows under titles. Extras give way first, then text; then the last columns, as there is no use in half a number. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], look: Look): string[] {
  const cells = [columns.map(({ title }): Cell => ({ text: title, tone: 'dim' })), ...rows].map((row) =>
    row.map((cell) =>
      typeof cell === 'string' ? { text: plain(cell), tone: 'plain' as Tone } : { ...cell, text: plain(cell.text) },
    ),
  )
  const widths = columns.map(({ isText, least = NUMBER }, i) =>
    Math.max(isText ? 0 : least, ...cells.map((row) => width(row[i]?.text ?? ''))),
  )
  const total = (gap: number) => widths.reduce((sum, one) => sum + one, gap * (widths.length - 1))
  while (total(1) > look.columns && columns[widths.length - 1]?.isExtra) widths.pop()
  const gap = total(2) <= look.columns ? 2 : 1
  const texts = columns.flatMap(({ isText }, i) => (isText ? [i] : []))
  while (total(gap) > look.columns) {
    const [widest] = texts.filter((i) => (widths[i] ?? 0) > LEAST).sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))
    if (widest !== undefined) widths[widest] = (widths[widest] as number) - 1
    else if (widths.length > 1) {
      widths.pop()
      if (texts.at(-1) === widths.length) texts.pop()
    } else widths[0] = look.columns
  }
  return cells.map((row) => {
    const shown = widths.map((room, i) => {
      const { text, tone } = row[i] ?? { text: '', tone: 'plain' }
      const fits = cut(text, room)
      const space = ' '.repeat(room - width(fits))
      const isLast = i === widths.length - 1
      const told = paint(fits, tone, look.color)
      return columns[i]?.isText ? told + (isLast ? '' : space) : space + told
    })
    return shown.join(' '.repeat(gap)).trimEnd()
  })
}
