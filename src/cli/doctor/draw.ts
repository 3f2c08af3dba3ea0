import { type Look, paint, type Tone } from '../table.js'
import { plain } from '../text.js'
import type { Finding, Verdict } from './finding.js'

const TONES: Readonly<Record<Verdict, Tone>> = { good: 'good', costs: 'bold', broken: 'bad', unknown: 'dim' }
/** Longer lines are hard to read, in a file too. */
const WIDEST = 100

/** A text in lines of so many letters, broken between words. */
export function wrap(text: string, letters: number): string[] {
  const lines: string[] = []
  for (const word of plain(text).split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && [...last].length + 1 + [...word].length <= letters)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Each finding with what it costs and how to mend it, and a sentence about all. */
export function drawFindings(findings: readonly Finding[], look: Look): string[] {
  const columns = Math.min(look.columns, WIDEST)
  const names = Math.max(...findings.map(({ name }) => name.length))
  const indent = 9 + names + 2
  const room = Math.max(20, columns - indent)
  const under = (label: string, text: string | undefined, tone: Tone): string[] =>
    text === undefined
      ? []
      : wrap(text, room - 6).map(
          (line, i) =>
            ' '.repeat(indent) +
            paint((i === 0 ? label : '').padEnd(6), 'dim', look.color) +
            paint(line, tone, look.color),
        )
  const lines = findings.flatMap(({ name, found, verdict, cost, mend }) => {
    const [first = '', ...more] = wrap(found, room)
    const head = paint(verdict.padEnd(9), TONES[verdict], look.color)
    return [
      `${head}${name.padEnd(names)}  ${first}`,
      ...more.map((line) => ' '.repeat(indent) + line),
      ...under('costs', cost, 'plain'),
      ...under('mend', mend, 'plain'),
    ]
  })
  const number = (verdict: Verdict) => findings.filter((one) => one.verdict === verdict).length
  const sum = `${number('good')} good, ${number('costs')} that cost, ${number('unknown')} not told, ${number('broken')} broken`
  return [...lines, '', sum]
}
