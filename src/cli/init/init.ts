import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { VeloxError } from '../../errors/velox-error.js'
import { VERSION } from '../../version.js'
import type { InitOptions } from './command.js'
import { filesOf } from './files.js'

/** Left as they are where they are there. */
const KEPT = ['package.json', '.gitignore']

function runsTypeScript({ bun, deno, node }: NodeJS.ProcessVersions): boolean {
  if (bun !== undefined || deno !== undefined) return true
  const [major = 0, minor = 0] = node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18)
}

/** Of what kind the modules of a folder are, by its own package.json; a new one says `module`. */
function isModule(folder: string): boolean {
  try {
    const { type } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { type?: unknown }
    return type === 'module'
  } catch {
    return true
  }
}

function isInstalled(folder: string): boolean {
  try {
    createRequire(join(folder, 'pipeline.js')).resolve('velox-engine')
    return true
  } catch {
    return false
  }
}

/** Makes a folder and those above it, one by one: where /proc refuses one, Node's `recursive` tries for ever. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  const above = dirname(folder)
  // A drive that isn't there has nothing above it.
  if (above !== folder) makeFolder(above)
  try {
    mkdirSync(folder)
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!existsSync(folder)) throw error
  }
}

/** As a shell takes it. */
const word = (path: string): string => (/[^\w./\\:@+-]/.test(path) ? JSON.stringify(path) : path)

/** `velox init`; gives the exit code. */
export async function init(o: InitOptions): Promise<number> {
  const folder = resolve(o.folder)
  const language = o.language ?? (runsTypeScript(process.versions) ? 'ts' : 'js')
  const x = existsSync(join(folder, 'package.json')) && !isModule(folder) ? `m${language}` : language
  const files = [...filesOf(x, VERSION)].filter(([name]) => !(KEPT.includes(name) && existsSync(join(folder, name))))
  const there = files.find(([name]) => existsSync(join(folder, name)))
  if (there) {
    const path = join(folder, there[0])
    throw new VeloxError('VELOX_FILE_UNWRITABLE', { path, reason: 'it is there already; nothing was written' })
  }
  try {
    makeFolder(folder)
    for (const [name, text] of files) writeFileSync(join(folder, name), text, { flag: 'wx' })
  } catch (error) {
    const { message } = error as Error
    throw new VeloxError('VELOX_FILE_UNWRITABLE', { path: folder, reason: message }, { cause: error })
  }
  const from = relative(process.cwd(), folder)
  const install = from === '' ? 'npm install velox-engine' : `npm install --prefix ${word(from)}`
  const next = [...(isInstalled(folder) ? [] : [install]), `npx velox run ${word(join(from, `pipeline.${x}`))}`]
  const names = files.map(([name]) => name)
  const { node } = process.versions
  const runs = language === 'js' || runsTypeScript(process.versions)
  const note = runs ? '' : `\n\nNode ${node} runs no TypeScript: take 22.18 or newer, Bun or Deno, or compile it by tsc`
  if (o.json) console.log(JSON.stringify({ folder, files: names, next, ...(!runs && { note: note.trim() }) }))
  else
    console.log(`made in ${from || '.'}: ${names.join(', ')}\n\n${next.map((line) => `  ${line}`).join('\n')}${note}`)
  return 0
}
