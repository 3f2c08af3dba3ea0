import type { Pace } from '../../../index.js'
import { refuse } from '../../errors/check.js'
import { COMMON, type Command } from '../command.js'
import { above0, oneOf, oneWord, valuesOf, whole } from '../options.js'

export const KINDS = ['level', 'trade', 'quote', 'status'] as const
export type Kind = (typeof KINDS)[number]

export interface ReplayOptions {
  /** A path; `sample`: the data that comes with the package. */
  readonly data: string
  readonly pace: Pace
  readonly depth: number
  readonly json: boolean
  readonly symbols: readonly string[]
  readonly format?: string
  readonly seconds?: number
  readonly out?: string
  readonly kind?: Kind
}

const HELP = `velox replay DATA [options]

Plays a recorded file through a book for each of its markets: draws them, and
says what was in the file. Where the file has the exchange's own quotes, each
book is held to them. Ctrl-C, or q on a terminal, ends it.

  DATA           a recorded file: Binance's lines, a recording of a live market,
                 a capture of cryptofeed, '.velox', Databento's DBN; plain or
                 packed by gzip or zstd. sample: the Binance data that comes
                 with the package
  --symbols A,B  only these markets
  --format NAME  where the first bytes don't tell: binance, messages, capture,
                 velox, dbn
  --pace PACE    max (default), recorded, or so many messages a second
  --seconds N    ends after so long
  --depth N      levels of a side that are drawn, 1 to 100 (default 10)
  --out PATH     every event as a line of '.csv', or as '.velox', which velox
                 replay reads faster
  --kind KIND    in that file only these: level, trade, quote or status
  --json         the statistics and books as JSON, and nothing drawn
  --help         this

Examples
  velox replay sample --pace recorded          the market as it was
  velox replay day.gz --out trades.csv --kind trade
  velox replay day.rec --json | jq '.markets[] | {symbol, top}'

Exit codes
  0  it was read to its end, and every book agrees with every quote
  1  it can't be read, data is missing, or a book disagrees
  2  wrong arguments`

const OPTIONS = {
  ...COMMON,
  symbols: { type: 'string' },
  format: { type: 'string' },
  pace: { type: 'string' },
  seconds: { type: 'string' },
  depth: { type: 'string' },
  out: { type: 'string' },
  kind: { type: 'string' },
} as const

const FORMATS = ['binance', 'messages', 'capture', 'velox', 'dbn'] as const

function paceOf(text: string): Pace {
  if (text === 'max' || text === 'recorded') return text
  const perSecond = Number(text)
  return perSecond > 0 && Number.isFinite(perSecond)
    ? { perSecond }
    : refuse('--pace', 'max, recorded or so many messages a second', text)
}

export const command: Command<ReplayOptions> = {
  help: HELP,
  parse(args) {
    const { values, positionals } = valuesOf(args, OPTIONS)
    const { help, json = false, symbols, format, pace = 'max', seconds, depth = '10', out, kind } = values
    if (help) return 'help'
    const data = oneWord('replay', 'one recorded file, or sample', positionals)
    if (out !== undefined && !/\.(csv|velox)$/.test(out)) refuse('--out', 'a file that ends in .csv or .velox', out)
    if (kind !== undefined && out === undefined) refuse('--kind', 'it with --out only', kind)
    return {
      data,
      json,
      pace: paceOf(pace),
      depth: whole('--depth', depth, 1, 100),
      symbols: symbols === undefined ? [] : symbols.split(','),
      ...(format !== undefined && { format: oneOf('--format', FORMATS, format) }),
      ...(seconds !== undefined && { seconds: above0('--seconds', seconds, 4e6) }),
      ...(out !== undefined && { out }),
      ...(kind !== undefined && { kind: oneOf('--kind', KINDS, kind) }),
    }
  },
  run: async (options) => (await import('./replay.js')).replay(options),
}
