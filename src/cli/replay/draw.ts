import type { Report } from '../../../index.js'
import { type Cell, type Look, line, table } from '../table.js'
import { count, rate, time } from '../text.js'
import type { Kind } from './command.js'
import { heading, ladder } from './ladder.js'
import type { Market, MarketFacts } from './market.js'

/** The books as they stand now. */
export function drawBooks(markets: readonly Market[], levels: number, look: Look): string[] {
  return markets.flatMap((market, i) => [
    ...(i > 0 ? [''] : []),
    heading(market, look),
    ...ladder(market, levels, look),
  ])
}

const text = (title: string) => ({ title, isText: true })

function trades(facts: readonly MarketFacts[], look: Look): string[] {
  const rows = facts.map(({ symbol, trades: t }): Cell[] => [
    symbol,
    count(t.count),
    t.volume,
    t.first ?? '-',
    t.high ?? '-',
    t.low ?? '-',
    t.last ?? '-',
    t.vwap === undefined ? '-' : t.vwap.toFixed(2),
  ])
  const titles = ['trades', 'volume', 'first', 'high', 'low', 'last', 'vwap'].map((title) => ({ title }))
  return table([text('market'), ...titles], rows, look)
}

/** What was in the file, and what its books were held to. */
export function drawFacts(
  report: Report,
  events: Readonly<Record<Kind, number>>,
  facts: readonly MarketFacts[],
  look: Look,
): string[] {
  const all = Object.values(events).reduce((sum, n) => sum + n, 0)
  const kinds = Object.entries(events).flatMap(([kind, n]) =>
    n > 0 ? [`${n} ${kind}${n === 1 ? '' : plural(kind)}`] : [],
  )
  const { verified, gaps, leftOut } = report
  const seconds = Number(report.elapsedNanos) / 1e9
  const [first] = facts.flatMap(({ trades: { from } }) => from ?? []).sort()
  const last = facts
    .flatMap(({ trades: { to } }) => to ?? [])
    .sort()
    .at(-1)
  const lines = [
    `${all} events: ${kinds.join(', ')}`,
    `read in ${time(seconds * 1e9)}: ${rate(all / seconds)} a second`,
    ...(first === undefined ? [] : [`trades from ${first} to ${last}`]),
    `${gaps} gaps, ${leftOut} messages left out`,
    verified
      ? `${verified.agreed} of ${verified.checked} of the exchange's quotes agree with the book`
      : 'no quotes in the data to hold the books to',
    ...(verified?.firstDisagreement === undefined ? [] : [verified.firstDisagreement]),
  ]
  const isBad = gaps > 0 || (verified !== undefined && verified.agreed !== verified.checked)
  return [
    ...trades(facts, look),
    '',
    ...lines.map((one, i) => line(one, isBad && i >= lines.length - 2 ? 'bad' : 'plain', look)),
  ]
}

const plural = (kind: string): string => (kind === 'status' ? 'es' : 's')
