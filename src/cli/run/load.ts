import { statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Element, Pipeline } from '../../../index.js'
import { refuse, words } from '../../errors/check.js'
import { typescriptRefused } from '../../errors/typescript-refused.js'
import { VeloxError } from '../../errors/velox-error.js'
import { isStage } from '../../stage/define-stage.js'

const EXPECTED = 'a default export that is a pipeline, not started, or a function that gives one'

/** As Node tells of an `import` and of a `require`, and Bun of both. */
const NOT_FOUND = /^Cannot find (?:module|package) '(.+?)'(?: imported from |\nRequire stack:\n- | from ')(.+?)'?$/m

/** What a module asks for and isn't there, as a sentence; any other error as it is. */
function importMissing(error: unknown): unknown {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return error
  const [, asked, importedFrom] = NOT_FOUND.exec(String(message)) ?? []
  if (asked === undefined || importedFrom === undefined) return error
  if (isAbsolute(asked) || asked.startsWith('.'))
    return new VeloxError('VELOX_FILE_NOT_FOUND', { path: asked, importedFrom })
  return new VeloxError('VELOX_PEER_MISSING', { peer: asked, reason: `none that ${importedFrom} finds` })
}

/** Known by what it does: the module may have another copy of the package. */
function isPipeline(value: unknown): value is Pipeline<Element> {
  const { start, explain } = Object(value) as Partial<Pipeline<Element>>
  return typeof start === 'function' && typeof explain === 'function'
}

/**
 * The pipeline that a module exports.
 *
 * @throws VeloxError VELOX_FILE_NOT_FOUND, VELOX_PEER_MISSING: of it, or of what it imports; VELOX_FILE_UNREADABLE of a folder;
 * VELOX_INVALID_VALUE where it exports none. What the module throws itself.
 */
export async function load(file: string, args: readonly string[]): Promise<Pipeline<Element>> {
  const path = resolve(file)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new VeloxError('VELOX_FILE_NOT_FOUND', { path })
  if (found.isDirectory()) throw new VeloxError('VELOX_FILE_UNREADABLE', { path, reason: 'a folder: name its module' })
  const module = await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw importMissing(typescriptRefused('run', file, error))
  })
  const { default: exported } = module as { default?: unknown }
  const made: unknown = typeof exported === 'function' ? await exported([...args]) : exported
  if (isPipeline(made)) return made
  if (typeof Object(made).done === 'function')
    return refuse(file, EXPECTED, words('a run: leave out start(), velox run starts it'))
  return refuse(file, EXPECTED, isStage(made) ? words('a stage: run the module of the pipeline that has it') : made)
}
