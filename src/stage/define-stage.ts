import type { Element, defineStage as Face, StageDefinition } from '../../index.js'
import { checkFunction, checkOptions, checkString, refuse, words } from '../errors/check.js'
import { checkParam } from '../expression/param.js'
import { codecOf } from '../record/codec.js'
import { typeKey } from '../record/type-key.js'

/** A stage at run time: what the face shows, and where a worker finds it. */
export interface StageModule extends StageDefinition<Element, Element, Record<string, number>> {
  readonly url: string
  open(x: { params: Readonly<Record<string, number>>; books: object }): {
    poll(batch: unknown, out: unknown): undefined | Uint32Array
    close?(): void
  }
}

/** What tells a definition from any other object, in whichever copy of the package it was made. */
const MOST_BYTES = 128
const MARK = Symbol.for('velox-engine.stage')

const DEFINED = Symbol.for('velox-engine.stages')
const shared = globalThis as { [DEFINED]?: Map<string, number> }
shared[DEFINED] ??= new Map()
/** How many stages each module has defined in this thread, by whichever copy of the package. */
const defined = shared[DEFINED]

/**
 * The stage of a module that was just loaded into a worker. There is no telling which of two the pipeline meant: what it was
 * given is on another thread.
 */
export function stageOf(url: string, found: unknown): StageModule {
  if (!isStage(found) || found.url !== url)
    return refuse('stage', `a module whose default export is defineStage(import.meta, …): ${url}`, found)
  const count = defined.get(url) ?? 1
  return count === 1 ? found : refuse('stage', `a module that defines one stage: ${url}`, words(`${count} of them`))
}

export function isStage(value: unknown): value is StageModule {
  return typeof value === 'object' && value !== null && MARK in value
}

/** A record that a stage can take or give. */
function checkCarried(field: string, type: Element): void {
  const { byteLength } = codecOf(type)
  // Records that the native side knows by name it takes at any length.
  if (byteLength > MOST_BYTES && typeKey(type).startsWith('words:'))
    refuse(field, `a record of at most ${MOST_BYTES} bytes`, words(`one of ${byteLength}`))
}

export const defineStage: typeof Face = (meta, d) => {
  checkOptions(d, ['input', 'output', 'params', 'open'], 'defineStage')
  if (typeof meta?.url !== 'string') refuse('meta', 'import.meta', meta)
  checkFunction('open', 'a function that gives an object with a poll function', d.open)
  checkCarried('input', d.input)
  checkCarried('output', d.output)
  const given: unknown = d.params ?? {}
  if (typeof given !== 'object' || Array.isArray(given)) refuse('params', 'an object of numbers by their names', given)
  const params: Record<string, number> = { ...d.params }
  for (const [name, value] of Object.entries(params)) checkParam(name, value)
  const { input, output, open } = d
  const url = checkString('meta.url', meta.url)
  defined.set(url, (defined.get(url) ?? 0) + 1)
  const made = {
    input,
    output,
    params: Object.freeze(params),
    open,
    url,
    [MARK]: true,
  }
  return Object.freeze(made) as never
}
