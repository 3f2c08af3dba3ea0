#!/usr/bin/env node
import { describe } from '../errors/describe.js'
import { nearest } from '../errors/nearest.js'
import { VeloxError } from '../errors/velox-error.js'
import { VERSION } from '../version.js'
import type { Command } from './command.js'
import { plain } from './text.js'

const HELP = `velox COMMAND [options]

  velox run FILE       runs the pipeline that a module exports
  velox replay DATA    plays a recorded file: its books and its statistics
  velox top            shows running engines live, from another terminal
  velox bench          measures the engine beside this machine's own limits
  velox doctor         says what of this machine costs latency, and the mend
  velox init [FOLDER]  makes a project: a pipeline, a stage, a test

velox COMMAND --help tells more, with examples; --json is for programs;
velox --version tells the package's.

Exit codes
  0  done
  1  it failed, and a sentence on the error output says why
  2  wrong arguments; nothing was done`

const COMMANDS: Readonly<Record<string, () => Promise<Command<unknown>>>> = {
  run: async () => (await import('./run/command.js')).command as Command<unknown>,
  replay: async () => (await import('./replay/command.js')).command as Command<unknown>,
  top: async () => (await import('./arguments.js')).command as Command<unknown>,
  bench: async () => (await import('./bench/command.js')).command as Command<unknown>,
  doctor: async () => (await import('./doctor/command.js')).command as Command<unknown>,
  init: async () => (await import('./init/command.js')).command as Command<unknown>,
}

function fail(error: unknown, exitCode: number): void {
  if (!(error instanceof VeloxError)) throw error
  const sentences: string[] = []
  // A sentence that has its cause in it already says it once.
  for (let cause: unknown = error; cause instanceof Error && sentences.length < 8; cause = cause.cause) {
    const [line = ''] = cause.message.split('\n')
    if (!sentences.some((sentence) => sentence.includes(line))) sentences.push(line)
    // Its causes are what was tried.
    if (error.code === 'VELOX_NATIVE_MISSING') break
  }
  process.stderr.write(`velox: ${plain(sentences.join(': '))}\n`)
  process.exitCode = exitCode
}

async function known(name: string, load: () => Promise<Command<unknown>>, args: readonly string[]): Promise<void> {
  const command = await load()
  let options: unknown
  try {
    options = command.parse(args)
  } catch (error) {
    fail(error, 2)
    process.stderr.write(`velox ${name} --help tells what there is\n`)
    return
  }
  if (options === 'help') return console.log(command.help)
  try {
    process.exitCode = await command.run(options)
  } catch (error) {
    fail(error, 1)
  }
}

function unknown(name: string | undefined): void {
  const names = Object.keys(COMMANDS)
  const meant = name === undefined ? undefined : nearest(name, names)
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`
  const got = name === undefined ? 'none' : describe(name)
  process.stderr.write(`velox: expected a command: ${names.join(', ')}, got ${plain(got)}${hint}\n`)
  process.stderr.write('velox --help tells what there is\n')
  process.exitCode = 2
}

// Who reads from it has enough, as `head`, or the terminal was closed.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  process.exit(0)
})

const given = process.argv.slice(2)
// `velox help run` is `velox run --help`.
const [name, ...rest] = given[0] === 'help' && given[1] !== undefined ? [given[1], '--help'] : given
const load = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
if (name !== undefined && ['--help', '-h', 'help'].includes(name)) console.log(HELP)
else if (name !== undefined && ['--version', '-v', '-V'].includes(name)) console.log(VERSION)
else if (load) await known(name as string, load, rest)
else unknown(name)
