// Fields read and written in place, each by a function of its own: one function shared by all fields would see all their
// kinds and could not be compiled for one.
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

// A read that finds what can't be goes on to the scalar, which says what is wrong with it.
const READS: Readonly<Record<string, string>> = {
  u8: 'return view.getUint8(at)',
  i8: 'return view.getInt8(at)',
  u16: 'return view.getUint16(at, true)',
  i16: 'return view.getInt16(at, true)',
  u32: 'return view.getUint32(at, true)',
  i32: 'return view.getInt32(at, true)',
  f32: 'return view.getFloat32(at, true)',
  f64: 'return view.getFloat64(at, true)',
  side: `const side = view.getUint8(at)
    return side === 0 ? 'bid' : side === 1 ? 'ask' : scalar.read(view, at)`,
  // Most numbers fit 31 bits: those stay integers in the machine's own form.
  u64: `const low = view.getInt32(at, true), high = view.getUint32(at + 4, true)
    if (high === 0 && low >= 0) return low
    return high < 0x200000 ? high * 0x100000000 + (low >>> 0) : scalar.read(view, at)`,
  i64: `const low = view.getInt32(at, true), high = view.getInt32(at + 4, true)
    if (high === 0 && low >= 0) return low
    return high < 0x200000 && high > -0x200000 ? high * 0x100000000 + (low >>> 0) : scalar.read(view, at)`,
}

const WRITES: Readonly<Record<string, string>> = {
  u8: 'if (typeof value === "number" && (value & 0xff) === value) view.setUint8(at, value)',
  u16: 'if (typeof value === "number" && (value & 0xffff) === value) view.setUint16(at, value, true)',
  u32: 'if (typeof value === "number" && value >>> 0 === value) view.setUint32(at, value, true)',
  i32: 'if (typeof value === "number" && (value | 0) === value) view.setInt32(at, value, true)',
  u64: `if (typeof value === 'number' && value >>> 0 === value) {
      view.setUint32(at, value, true)
      view.setUint32(at + 4, 0, true)
    }`,
  f64: "if (typeof value === 'number') view.setFloat64(at, value, true)",
  i64: `if (Number.isSafeInteger(value)) {
      const high = Math.floor(value / 0x100000000)
      view.setUint32(at, value - high * 0x100000000, true)
      view.setInt32(at + 4, high, true)
    }`,
}

type Made = (...args: unknown[]) => unknown

/**
 * Makes a function of its own from code in which only these names stand; undefined where the runtime forbids that. Where
 * the values lie is written into the code: it is the same for good, and no two fields share a function's code.
 */
function compile(parameters: string, body: string, { base, stride, mask }: Window, offset: number): Made | undefined {
  const index = mask === -1 ? 'i' : `((window.from + i) & ${mask})`
  const code = `'use strict'
  const { view } = window
  return (${parameters}) => {
    if (typeof i !== 'number' || i >>> 0 !== i || i >= window.length) miss(i)
    const at = ${base + offset} + ${index} * ${stride}
    ${body}
  }`
  try {
    return new Function('window', 'miss', 'scalar', code) as Made
  } catch {
    return undefined
  }
}

function plainAt(window: Window, i: number, miss: Miss): number {
  if (typeof i !== 'number' || i >>> 0 !== i || i >= window.length) miss(i)
  return window.base + ((window.from + i) & window.mask) * window.stride
}

const readBody = (kind: string): string =>
  Object.hasOwn(READS, kind) ? (READS[kind] as string) : 'return scalar.read(view, at)'

const writeBody = (kind: string): string =>
  `${Object.hasOwn(WRITES, kind) ? `${WRITES[kind]}\n    else ` : ''}scalar.write(view, at, value)`

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
  const read${i} = (view, at, scalar) => { ${readBody(spec.kind)} }
  const write${i} = (view, at, value, scalar) => { ${writeBody(spec.kind)} }`,
  )}
  return {
    read: (view, at) => ({ ${each(({ name, offset }, i) => `[${JSON.stringify(name)}]: read${i}(view, at + ${offset}, scalar${i}),`)} }),
    write(view, at, values) { ${each(({ name, offset }, i) => `write${i}(view, at + ${offset}, values[${JSON.stringify(name)}], scalar${i})`)} },
  }`
  try {
    const scalars = columns.map(({ scalar }) => scalar)
    return (new Function('scalars', code) as (scalars: readonly Scalar[]) => Whole)(scalars)
  } catch {
    return undefined
  }
}

export function readerOf(window: Window, { offset, spec, scalar }: Column, miss: Miss): (i: number) => unknown {
  const made = compile('i', readBody(spec.kind), window, offset)
  if (made) return made(window, miss, scalar) as (i: number) => unknown
  return (i) => scalar.read(window.view, plainAt(window, i, miss) + offset)
}

/** The microseconds of a `nanos` field, as a number. */
export function microsOf(window: Window, { offset }: Column, miss: Miss): (i: number) => number {
  return (i) => {
    const at = plainAt(window, i, miss) + offset
    return (window.view.getUint32(at + 4, true) * 2 ** 32 + window.view.getUint32(at, true)) / 1000
  }
}

export function writerOf(
  window: Window,
  { offset, spec, scalar }: Column,
  miss: Miss,
): (i: number, value: never) => void {
  const made = compile('i, value', writeBody(spec.kind), window, offset)
  if (made) return made(window, miss, scalar) as (i: number, value: never) => void
  return (i, value) => scalar.write(window.view, plainAt(window, i, miss) + offset, value)
}
