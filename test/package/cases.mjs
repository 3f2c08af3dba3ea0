// What an installed package must do, on whichever runtime: programs, and what each prints.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The README's first script, and what the README says that it prints. */
function firstScript() {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, code, printed] = /^```ts\n(.*?)^```\n\n```\n(.*?)^```\n/ms.exec(readme) ?? []
  return { code, printed }
}

const programs = new URL('programs/', import.meta.url)
const program = (name) => readFileSync(new URL(name, programs), 'utf8')
const first = firstScript()

/** What is told, however a runtime lays an object out: Bun puts a comma behind the last field, Deno colours. */
const told = (text) => stripVTControlCharacters(text).replaceAll(/\s/g, '').replaceAll(',}', '}')

/** By name: the files that it needs, the first of which is run, and what it prints. */
export const CASES = {
  'quick start': { files: { 'quick-start.mjs': first.code }, printed: first.printed },
  'a stage in JavaScript': {
    files: { 'stage.mjs': program('stage.mjs'), 'large-trades.mjs': program('large-trades.mjs') },
    printed: '129 of 11463 trades, balanced true\n',
  },
  'a small pipeline': { files: { 'small.mjs': program('small.mjs') }, printed: 'hello 500 true\n' },
  'a signed transaction': { files: { 'memo.mjs': program('memo.mjs') }, printed: '2 true true\n' },
  require: { files: { 'required.cjs': program('required.cjs') }, printed: '1 2 VELOX_INVALID_CAPACITY\n' },
}

/** Writes the programs into a folder. */
export function writePrograms(folder) {
  for (const { files } of Object.values(CASES))
    for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code)
}

/**
 * Runs programs, all of them where none is named, in a folder by a command; gives by name what was wrong, or undefined.
 *
 * @param {(file: string) => { command: string; args: string[]; env?: object }} how
 */
export function runPrograms(folder, how, names = Object.keys(CASES)) {
  const wrong = {}
  for (const name of names) {
    const { files, printed } = CASES[name]
    const { command, args, env } = how(Object.keys(files)[0])
    try {
      const stdio = ['ignore', 'pipe', 'pipe']
      const options = { cwd: folder, encoding: 'utf8', stdio, timeout: 60_000, env: { ...process.env, ...env } }
      const got = execFileSync(command, args, options)
      wrong[name] = told(got) === told(printed) ? undefined : `printed ${got}`
    } catch (error) {
      wrong[name] = String(error.stderr || error.message)
        .trim()
        .split('\n')
        .slice(0, 8)
        .join('\n')
    }
  }
  return wrong
}
