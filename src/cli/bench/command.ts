import { refuse } from '../../errors/check.js'
import { COMMON, type Command } from '../command.js'
import { above0, valuesOf } from '../options.js'

export interface BenchOptions {
  readonly json: boolean
  /** For all measurements together. */
  readonly seconds: number
}

const HELP = `velox bench [options]

Measures the engine on this machine, each part beside what the machine allows
at best: a ring beside a cache line that goes to the other core and back,
records beside memory, the clock beside a bare read of the counter, a filter
beside a loop written by hand. Medians of many short rounds. Then the four
stages: how many records a second, and how late at 100,000 arrivals a second.

  --seconds N  for all of it together (default 12); longer is steadier
  --json       the figures as JSON: times in ns, memory in bytes a second
  --help       this

Examples
  velox bench
  velox bench --seconds 60 --json > here.json

Exit codes
  0  measured
  1  it failed
  2  wrong arguments

Nothing else should run meanwhile: velox doctor says what does.`

const OPTIONS = { ...COMMON, seconds: { type: 'string' } } as const

export const command: Command<BenchOptions> = {
  help: HELP,
  parse(args) {
    const { values, positionals } = valuesOf(args, OPTIONS)
    const { help, json = false, seconds = '12' } = values
    if (help) return 'help'
    if (positionals.length > 0) return refuse('bench', 'options only', positionals[0])
    return { json, seconds: above0('--seconds', seconds, 3600) }
  },
  run: async (options) => (await import('./bench.js')).bench(options),
}
