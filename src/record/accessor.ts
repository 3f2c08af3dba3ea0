// Fields read and written in place, each by a function of its own: one function shared by all fields would see all their
// kinds and could not be compiled for one.
import type { FieldSpec } from './fields.js'
import type { Scalar } from './scalars.js'

/** Records one behind the other, of which a window can be seen. */
export interface Window {
  readonly view: DataView
  /** Where record 0 lies, the bytes a record, and one less than the power of two at which records begin again. */
  readonly base: number
  readonly stride: number
  readonly mask: number
  /** The first record that can be seen, and how many. */
  from: number
  length: number
}

/** One field of the records. */
export interface Column {
  readonly offset: number
  readonly spec: FieldSpec
  readonly scalar: Scalar
}

/** Refuses an index; never returns. */
export type Refuse = (i: number) => never

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
  u64: `const high = view.getUint32(at + 4, true)
    return high < 0x200000 ? high * 0x100000000 + view.getUint32(at, true) : scalar.read(view, at)`,
  i64: `const high = view.getInt32(at + 4, true)
    return high < 0x200000 && high > -0x200000 ? high * 0x100000000 + view.getUint32(at, true) : scalar.read(view, at)`,
}

const WRITES: Readonly<Record<string, string>> = {
  u8: 'if (typeof value === "number" && (value & 0xff) === value) view.setUint8(at, value)',
  u16: 'if (typeof value === "number" && (value & 0xffff) === value) view.setUint16(at, value, true)',
  u32: 'if (typeof value === "number" && value >>> 0 === value) view.setUint32(at, value, true)',
  i32: 'if (typeof value === "number" && (value | 0) === value) view.setInt32(at, value, true)',
  f64: "if (typeof value === 'number') view.setFloat64(at, value, true)",
  i64: `if (Number.isSafeInteger(value)) {
      const high = Math.floor(value / 0x100000000)
      view.setUint32(at, value - high * 0x100000000, true)
      view.setInt32(at + 4, high, true)
    }`,
}

const AT = `if (typeof i !== 'number' || i >>> 0 !== i || i >= window.length) refuse(i)
    const at = base + ((window.from + i) & mask) * stride + offset`

type Made = (...args: unknown[]) => unknown

/** Makes a function of its own from code in which only these names stand; undefined where the runtime forbids that. */
function compile(parameters: string, body: string): Made | undefined {
  const names = 'window, refuse, scalar, offset'
  const code = `'use strict'
  const { view, base, stride, mask } = window
  return (${parameters}) => {
    ${AT}
    ${body}
  }`
  try {
    return new Function(...names.split(', '), code) as Made
  } catch {
    return undefined
  }
}

function plainAt(window: Window, i: number, refuse: Refuse): number {
  if (typeof i !== 'number' || i >>> 0 !== i || i >= window.length) refuse(i)
  return window.base + ((window.from + i) & window.mask) * window.stride
}

export function readerOf(window: Window, { offset, spec, scalar }: Column, refuse: Refuse): (i: number) => unknown {
  const body = Object.hasOwn(READS, spec.kind) ? READS[spec.kind] : 'return scalar.read(view, at)'
  const made = compile('i', body as string)
  if (made) return made(window, refuse, scalar, offset) as (i: number) => unknown
  return (i) => scalar.read(window.view, plainAt(window, i, refuse) + offset)
}

export function writerOf(
  window: Window,
  { offset, spec, scalar }: Column,
  refuse: Refuse,
): (i: number, value: never) => void {
  const fast = Object.hasOwn(WRITES, spec.kind) ? `${WRITES[spec.kind]}\n    else ` : ''
  const made = compile('i, value', `${fast}scalar.write(view, at, value)`)
  if (made) return made(window, refuse, scalar, offset) as (i: number, value: never) => void
  return (i, value) => scalar.write(window.view, plainAt(window, i, refuse) + offset, value)
}
