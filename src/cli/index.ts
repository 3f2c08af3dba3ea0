#!/usr/bin/env node
import { createRequire } from 'node:module'
import { VeloxError } from '../errors/velox-error.js'
import { type Command, commandOf, HELP } from './arguments.js'
import { plain } from './text.js'

function fail(error: unknown, exitCode: number): void {
  if (!(error instanceof VeloxError)) throw error
  process.stderr.write(`velox: ${plain(error.message)}\n`)
  process.exitCode = exitCode
}

function parsed(): Command | undefined {
  try {
    return commandOf(process.argv.slice(2))
  } catch (error) {
    fail(error, 2)
    process.stderr.write('velox --help tells what there is\n')
    return undefined
  }
}

// Who reads from it has enough, as `head`, or the terminal was closed.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  process.exit(0)
})

const command = parsed()
if (command?.name === 'help') console.log(HELP)
if (command?.name === 'version') {
  console.log((createRequire(import.meta.url)('../../package.json') as { version: string }).version)
}
if (command?.name === 'top') {
  try {
    // Here: help needs no native part.
    const { top } = await import('./top.js')
    process.exitCode = await top(command.options)
  } catch (error) {
    fail(error, 1)
  }
}
