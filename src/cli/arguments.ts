import { refuse } from '../errors/check.js'
import { COMMON, type Command } from './command.js'
import { valuesOf, whole } from './options.js'

export interface TopOptions {
  readonly once: boolean
  readonly json: boolean
  readonly everyMillis: number
  readonly name?: string
  readonly pid?: number
  readonly file?: string
}

const HELP = `velox top [NAME] [options]

Shows a running engine live: stages, edges, latencies, live markets, threads
and books. It finds the engines of this user by itself, and follows one over
its end and its restart. The engine notices nothing. Rates, busy and what is
called now are of the time since the sample before, all else since the start.
q or Ctrl-C ends it.

  NAME           the engine whose pipeline has this name
  --pid N        the engine of this process
  --file PATH    the engine of this file of metrics
  --once         one table, then ends
  --json         a line of JSON for each sample
  --every MS     milliseconds between samples, 100 to 60000 (default 500)
  --help         this

Examples
  velox top                      the engine that runs; of several, a list
  velox top arbitrage            the one of this name, over its restarts
  velox top --once --pid 4711    one table to the output
  velox top --json > day.jsonl   a record of its day

Exit codes
  0  it was shown, once or until it was told to end
  1  no such engine runs, or its file was refused
  2  wrong arguments, or several engines run and none was chosen

On no terminal it writes no escape codes; NO_COLOR leaves out colours.`

const OPTIONS = {
  ...COMMON,
  pid: { type: 'string' },
  file: { type: 'string' },
  once: { type: 'boolean' },
  every: { type: 'string' },
} as const

export const command: Command<TopOptions> = {
  help: HELP,
  parse(args) {
    const { values, positionals } = valuesOf(args, OPTIONS)
    const { pid, file, once = false, json = false, every = '500', help } = values
    if (help) return 'help'
    const [name, ...more] = positionals
    if (more.length > 0) refuse('top', 'one name', more[0])
    if (file !== undefined && (pid !== undefined || name !== undefined))
      refuse('--file', 'no name and no --pid beside it', file)
    return {
      once,
      json,
      everyMillis: whole('--every', every, 100, 60_000),
      ...(name !== undefined && { name }),
      ...(pid !== undefined && { pid: whole('--pid', pid, 1, 2 ** 32 - 1) }),
      ...(file !== undefined && { file }),
    }
  },
  run: async (options) => (await import('./top.js')).top(options),
}
