import type * as Face from '../../index.js'
import { checkInteger, refuse } from '../errors/check.js'
import { layOut, sizeOf } from './layout.js'

/** What a field is at run time: plain data, so that a type can travel to a worker. */
export type FieldSpec =
  | { readonly kind: 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64' | 'bool' | 'side' | 'nanos' }
  | { readonly kind: 'u64' | 'i64'; readonly big: FieldSpec }
  | { readonly kind: 'u64.big' | 'i64.big' }
  | { readonly kind: 'text'; readonly maxBytes: number }
  | { readonly kind: 'bytes'; readonly length: number }
  /** So many values of one type, one behind the other. */
  | { readonly kind: 'array'; readonly of: FieldSpec | RecordSpec; readonly length: number }
  /** One byte: an index into names. */
  | { readonly kind: 'names'; readonly names: readonly string[] }
  /** Up to so many records, the first `count` of them active, where `count` is the record's field of that name. */
  | { readonly kind: 'records'; readonly of: RecordSpec; readonly most: number }

export interface RecordSpec {
  readonly name: string
  readonly fields: Readonly<Record<string, FieldSpec>>
  readonly byteLength: number
}

/** The run-time side of a type of the face. */
export function specOf(type: Face.Element): FieldSpec | RecordSpec {
  return type as unknown as FieldSpec | RecordSpec
}

export function isRecord(spec: FieldSpec | RecordSpec): spec is RecordSpec {
  return typeof spec === 'object' && spec !== null && 'fields' in spec
}

function field<F>(spec: FieldSpec): F {
  return Object.freeze(spec) as unknown as F
}

export const u8: typeof Face.u8 = field({ kind: 'u8' })
export const i8: typeof Face.i8 = field({ kind: 'i8' })
export const u16: typeof Face.u16 = field({ kind: 'u16' })
export const i16: typeof Face.i16 = field({ kind: 'i16' })
export const u32: typeof Face.u32 = field({ kind: 'u32' })
export const i32: typeof Face.i32 = field({ kind: 'i32' })
export const f32: typeof Face.f32 = field({ kind: 'f32' })
export const f64: typeof Face.f64 = field({ kind: 'f64' })
export const bool: typeof Face.bool = field({ kind: 'bool' })
export const u64: typeof Face.u64 = field({ kind: 'u64', big: Object.freeze({ kind: 'u64.big' }) })
export const i64: typeof Face.i64 = field({ kind: 'i64', big: Object.freeze({ kind: 'i64.big' }) })
export const nanos: typeof Face.nanos = field({ kind: 'nanos' })
export const side: typeof Face.side = field({ kind: 'side' })
export const Side: typeof Face.Side = Object.freeze({ bid: 'bid', ask: 'ask' })

const MAX_TEXT = 65_533
const MAX_BYTES = 65_536
const MAX_LENGTH = 65_536

export function text(maxBytes: number): Face.Field<string> {
  return field({ kind: 'text', maxBytes: checkInteger('maxBytes', maxBytes, 1, MAX_TEXT) })
}

export function bytes(length: number): Face.Field<Uint8Array> {
  return field({ kind: 'bytes', length: checkInteger('length', length, 1, MAX_BYTES) })
}

export function array<T extends Face.Element>(
  of: T,
  length: number,
): Face.Field<readonly Face.Infer<T>[], readonly Face.Input<T>[]> {
  checkInteger('length', length, 1, MAX_LENGTH)
  const spec = specOf(of)
  // A type's own check is in where it lies.
  if (typeof spec === 'object' && spec !== null && isRecord(spec)) layOut(spec.fields)
  else if ((spec as FieldSpec)?.kind === 'records') refuse('of', 'a record or a field', spec)
  else sizeOf(spec as FieldSpec)
  return field({ kind: 'array', of: spec, length })
}

export function names<N extends string>(of: readonly N[]): Face.Field<N> {
  return field({ kind: 'names', names: Object.freeze(of) })
}
