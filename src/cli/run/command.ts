import { refuse } from '../../errors/check.js'
import { COMMON, type Command } from '../command.js'
import { above0, NONE, oneOf, valuesOf, whole } from '../options.js'

export interface RunOptions {
  readonly file: string
  /** What the module's function is given. */
  readonly words: readonly string[]
  readonly explain: boolean
  readonly json: boolean
  readonly threads?: number
  readonly wait?: 'spin' | 'yield' | 'backoff' | 'block'
  readonly seconds?: number
  readonly report?: string
}

const HELP = `velox run FILE [WORD …] [options]

Runs a pipeline: FILE is a module whose default export is one, not started, or
a function that gives one. It is shown live as velox top shows it, and its
report is printed at the end. Ctrl-C, or q on a terminal, ends its source: what
is on the way arrives; once more gives it up. A pipeline without a last step
to(…) gives its records to the output, each as a line of JSON, and its report
to the error output.

  FILE           a module of JavaScript; of TypeScript from Node 22.18 on
  WORD …         for the function that FILE exports; -- before what looks like
                 an option
  --explain      prints stages, threads and rings, and runs nothing
  --threads N    on so many threads (default: all stages on one)
  --wait HOW     spin, yield, backoff (default) or block
  --seconds N    ends its source after so long
  --report PATH  all that is known of the run: a page for '.html', data for
                 '.json'
  --json         the report as JSON, and nothing drawn
  --help         this

Examples
  velox run bot.js                    until its source ends
  velox run bot.js BTCUSDT            export default ([symbol]) => pipeline(…)
  velox run bot.js --explain --threads 2
  velox run bot.js --seconds 60 --json | jq .stages

Exit codes
  0  it ran, its accounts add up, no data was missing, and its books agree with
     the exchange's quotes
  1  it failed, or one of these is not so
  2  wrong arguments`

const OPTIONS = {
  ...COMMON,
  explain: { type: 'boolean' },
  threads: { type: 'string' },
  wait: { type: 'string' },
  seconds: { type: 'string' },
  report: { type: 'string' },
} as const

export const command: Command<RunOptions> = {
  help: HELP,
  parse(args) {
    const { values, positionals } = valuesOf(args, OPTIONS)
    const { help, explain = false, json = false, threads, wait, seconds, report } = values
    if (help) return 'help'
    const [file, ...words] = positionals
    if (file === undefined) return refuse('run', 'the file of a module', NONE)
    if (report !== undefined && !/\.(html|json)$/.test(report))
      refuse('--report', 'a file that ends in .html or .json', report)
    return {
      file,
      words,
      explain,
      json,
      ...(threads !== undefined && { threads: whole('--threads', threads, 1, 1024) }),
      ...(wait !== undefined && { wait: oneOf('--wait', ['spin', 'yield', 'backoff', 'block'], wait) }),
      ...(seconds !== undefined && { seconds: above0('--seconds', seconds, 4e6) }),
      ...(report !== undefined && { report }),
    }
  },
  run: async (options) => (await import('./run.js')).run(options),
}
