import { parseArgs } from 'node:util'
import { checkInteger, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'

export interface TopOptions {
  readonly once: boolean
  readonly json: boolean
  readonly everyMillis: number
  readonly name?: string
  readonly pid?: number
  readonly file?: string
}

export type Command = { readonly name: 'help' | 'version' } | { readonly name: 'top'; readonly options: TopOptions }

export const HELP = `velox top [NAME] [options]

Shows a running engine live: stages, edges, latencies, live markets, threads and books. It finds the engines of this user
by itself, and follows one over its end and its restart. The engine notices nothing. Rates, busy and what is called now are
of the time since the sample before, all else since the start. q or Ctrl-C ends it.

  NAME           the engine whose pipeline has this name
  --pid N        the engine of this process
  --file PATH    the engine of this file of metrics
  --once         one table, then ends
  --json         a line of JSON for each sample
  --every MS     milliseconds from one sample to the next, 100 to 60000 (default 500)
  --help         this
  --version      the version of the package

Examples
  velox top                      the engine that runs; where several run, a list of them
  velox top arbitrage            the one of this name, also after it was started again
  velox top --once --pid 4711    one table to the output
  velox top --json > day.jsonl   a record of its day

Exit codes
  0  it was shown, once or until it was told to end
  1  no such engine runs, or its file was refused
  2  wrong arguments, or several engines run and none was chosen

On no terminal it writes no escape codes; NO_COLOR leaves out colours.`

const options = {
  pid: { type: 'string' },
  file: { type: 'string' },
  once: { type: 'boolean' },
  json: { type: 'boolean' },
  every: { type: 'string' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const

function whole(field: string, text: string, least: number, most: number): number {
  if (!/^\d+$/.test(text)) refuse(field, `a whole number, ${least} to ${most}`, text)
  return checkInteger(field, Number(text), least, most)
}

/**
 * What the arguments ask for.
 *
 * @throws VeloxError for what there isn't, with what there is.
 */
export function commandOf(args: readonly string[]): Command {
  // Not strict: an unknown option is told with the nearest known one.
  const { values, positionals } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true })
  const known = Object.keys(options).map((name) => `--${name}`)
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(options, name)) throw new VeloxError('VELOX_UNKNOWN_OPTION', { option: `--${name}`, known })
    const { type } = options[name as keyof typeof options]
    if (typeof value !== type) refuse(`--${name}`, type === 'string' ? 'a value' : 'no value', value)
  }
  const { pid, file, once = false, json = false, every = '500', help, version } = values as Record<string, never>
  if (help) return { name: 'help' }
  if (version) return { name: 'version' }
  const [command, name, ...more] = positionals
  if (command !== 'top') refuse('command', "'top'", command)
  if (more.length > 0) refuse('top', 'one name', more[0])
  if (file !== undefined && (pid !== undefined || name !== undefined))
    refuse('--file', 'no name and no --pid beside it', file)
  return {
    name: 'top',
    options: {
      once,
      json,
      everyMillis: whole('--every', every, 100, 60_000),
      ...(name !== undefined && { name }),
      ...(pid !== undefined && { pid: whole('--pid', pid, 1, 2 ** 32 - 1) }),
      ...(file !== undefined && { file }),
    },
  }
}
