// Fields read and written in place, each by a function of its own: one function shared by all fields would see all their
// kinds and could not be compiled for one.
import { ARRAYS, elements, type Memory, readBody, VIEW, widthOf, writeBody } from './access-code.js'
import type { FieldSpec } from './fields.js'
import type { Scalar } from './scalars.js'

/** Values one behind the other, of which a part can be seen: records of a ring, or one 64-bit word of each record. */
export interface Window {
  readonly view: DataView
  /** Where value 0 lies, the bytes a value, and one less than the power of two at which values begin again (-1: never). */
  readonly base: number
  readonly stride: number
  readonly mask: number
  /** The first value that can be seen, and how many. */
  from: number
  length: number
}

/** One field of the records. */
export interface Column {
  /** Bytes from the beginning of the window's value. */
  readonly offset: number
  readonly spec: FieldSpec
  readonly scalar: Scalar
}

/** Is told of an index that can't be seen: it makes it seen, or throws. */
export type Miss = (i: number) => void

/** What code that can't be made comes to: another error than that the runtime forbids it is one of this file. */
function forbidden(error: unknown): undefined {
  if (error instanceof SyntaxError) throw error
}

type Made = (...args: unknown[]) => unknown
type Body = (kind: string, m: Memory) => string

/**
 * Makes a function of its own from code in which only these names stand; undefined where the runtime forbids that. Where
 * the values lie is written into the code: it is the same for good, and no two fields share a function's code.
 */
function compile(
  parameters: string,
  body: Body,
  window: Window,
  column: Column,
  miss: Miss,
  last = '',
): Made | undefined {
  const { view, base, stride, mask } = window
  const { offset, spec, scalar } = column
  const width = widthOf(spec.kind)
  const first = view.byteOffset + base + offset
  const isAligned = first % width === 0 && stride % width === 0
  const index = mask === -1 ? 'i' : `((window.from + i) & ${mask})`
  const place = isAligned
    ? `const n = ${first / width} + ${index} * ${stride / width}`
    : `const at = ${base + offset} + ${index} * ${stride}`
  const does = body(spec.kind, isAligned ? elements(width, view.byteOffset) : VIEW)
  const words = Object.entries(ARRAYS).filter(([word]) => does.includes(`${word}[`))
  const code = `'use strict'
  return (${parameters}) => {
    if (typeof i !== 'number' || i >>> 0 !== i || i >= window.length) miss(i)
    ${place}
    ${does}
    ${last}
  }`
  try {
    const make = new Function('window', 'view', 'miss', 'scalar', ...words.map(([word]) => word), code) as Made
    const count = Math.floor(view.buffer.byteLength / width)
    const arrays = words.map(([, array]) => new array(view.buffer as ArrayBuffer, 0, count))
    return make(window, view, miss, scalar, ...arrays) as Made
  } catch (error) {
    return forbidden(error)
  }
}

function plainAt(window: Window, i: number, miss: Miss): number {
  if (typeof i !== 'number' || i >>> 0 !== i || i >= window.length) miss(i)
  return window.base + ((window.from + i) & window.mask) * window.stride
}

/** Reads and writes whole records. */
export interface Whole {
  read(view: DataView, at: number): Record<string, unknown>
  write(view: DataView, at: number, values: Readonly<Record<string, unknown>>): void
}

/** The same for a whole record, each field by a function of its own; undefined where the runtime forbids that. */
export function wholeOf(columns: readonly (Column & { readonly name: string })[]): Whole | undefined {
  const each = (line: (column: Column & { readonly name: string }, i: number) => string) => columns.map(line).join('\n')
  const code = `'use strict'
  ${each(
    ({ spec }, i) => `const scalar${i} = scalars[${i}]
  const read${i} = (view, at, scalar) => { ${readBody(spec.kind, VIEW)} }
  const write${i} = (view, at, value, scalar) => { ${writeBody(spec.kind, VIEW)} }`,
  )}
  return {
    read: (view, at) => ({ ${each(({ name, offset }, i) => `[${JSON.stringify(name)}]: read${i}(view, at + ${offset}, scalar${i}),`)} }),
    write(view, at, values) { ${each(({ name, offset }, i) => `write${i}(view, at + ${offset}, values[${JSON.stringify(name)}], scalar${i})`)} },
  }`
  try {
    const scalars = columns.map(({ scalar }) => scalar)
    return (new Function('scalars', code) as (scalars: readonly Scalar[]) => Whole)(scalars)
  } catch (error) {
    return forbidden(error)
  }
}

export function readerOf(window: Window, column: Column, miss: Miss): (i: number) => unknown {
  const { offset, scalar } = column
  const made = compile('i', readBody, window, column, miss) as ((i: number) => unknown) | undefined
  return made ?? ((i) => scalar.read(window.view, plainAt(window, i, miss) + offset))
}

/** The microseconds of a `nanos` field, as a number. */
export function microsOf(window: Window, { offset }: Column, miss: Miss): (i: number) => number {
  return (i) => {
    const at = plainAt(window, i, miss) + offset
    return (window.view.getUint32(at + 4, true) * 2 ** 32 + window.view.getUint32(at, true)) / 1000
  }
}

type Write = (i: number, value: never) => void

export function writerOf(window: Window, column: Column, miss: Miss): Write {
  const { offset, scalar } = column
  const made = compile('i, value', writeBody, window, column, miss) as Write | undefined
  return made ?? ((i, value) => scalar.write(window.view, plainAt(window, i, miss) + offset, value))
}

/** The same for a window that grows: `miss` clears the value behind its last, which can be seen once a field of it was written. */
export function appenderOf(window: Window, column: Column, miss: Miss): Write {
  const grow = 'if (i === window.length) window.length = i + 1'
  const made = compile('i, value', writeBody, window, column, miss, grow) as Write | undefined
  if (made) return made
  const write = writerOf(window, column, miss)
  return (i, value) => {
    write(i, value)
    if (i === window.length) window.length = i + 1
  }
}
