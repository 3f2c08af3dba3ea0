import { COMMON, type Command } from '../command.js'
import { oneOf, oneWord, valuesOf } from '../options.js'

export interface InitOptions {
  readonly folder: string
  readonly json: boolean
  readonly language?: 'ts' | 'js'
}

const HELP = `velox init [FOLDER] [options]

Makes a project that runs at once: a pipeline over the recorded market that
comes with the package, a stage of its own, and a test of both. A package.json
that is there is kept as it is.

  FOLDER        where; made if need be (default: this folder)
  --language L  ts or js (default: ts where this runtime runs it, as Node does
                from 22.18 on, else js)
  --json        what was made, and what to do next, as JSON
  --help        this

Examples
  velox init bot              then: npx velox run bot/pipeline.ts
  velox init --language js

Exit codes
  0  made
  1  a file that would be made is there already: nothing was written
  2  wrong arguments`

const OPTIONS = { ...COMMON, language: { type: 'string' } } as const

export const command: Command<InitOptions> = {
  help: HELP,
  parse(args) {
    const { values, positionals } = valuesOf(args, OPTIONS)
    const { help, json = false, language } = values
    if (help) return 'help'
    return {
      folder: positionals.length === 0 ? '.' : oneWord('init', 'one folder', positionals),
      json,
      ...(language !== undefined && { language: oneOf('--language', ['ts', 'js'], language) }),
    }
  },
  run: async (options) => (await import('./init.js')).init(options),
}
