import type { Element, defineStage as Face, StageDefinition } from '../../index.js'
import { checkOptions, checkString, refuse } from '../errors/check.js'
import { checkParam } from '../expression/param.js'
import { codecOf } from '../record/codec.js'

/** A stage at run time: what the face shows, and where a worker finds it. */
export interface StageModule extends StageDefinition<Element, Element, Record<string, number>> {
  readonly url: string
  open(x: { params: Readonly<Record<string, number>>; books: object }): {
    poll(batch: unknown, out: unknown): undefined | Uint32Array
    close?(): void
  }
}

/** What tells a definition from any other object, in whichever copy of the package it was made. */
const MARK = Symbol.for('velox-engine.stage')

export function isStage(value: unknown): value is StageModule {
  return typeof value === 'object' && value !== null && MARK in value
}

export const defineStage: typeof Face = (meta, d) => {
  checkOptions(d, ['input', 'output', 'params', 'open'], 'defineStage')
  if (typeof meta?.url !== 'string') refuse('meta', 'import.meta', meta)
  if (typeof d.open !== 'function') refuse('open', 'a function', d.open)
  codecOf(d.input)
  codecOf(d.output)
  const params: Record<string, number> = { ...d.params }
  for (const [name, value] of Object.entries(params)) checkParam(name, value)
  const { input, output, open } = d
  const made = {
    input,
    output,
    params: Object.freeze(params),
    open,
    url: checkString('meta.url', meta.url),
    [MARK]: true,
  }
  return Object.freeze(made) as never
}
