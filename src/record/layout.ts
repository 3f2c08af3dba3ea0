import { refuse } from '../errors/check.js'
import type { FieldSpec, RecordSpec } from './fields.js'

/** Where a field lies in its record, in bytes. */
export interface Place {
  readonly name: string
  readonly spec: FieldSpec
  readonly offset: number
}

const SIZES: Readonly<Record<string, number>> = {
  u8: 1,
  i8: 1,
  bool: 1,
  side: 1,
  names: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  f64: 8,
  u64: 8,
  i64: 8,
  'u64.big': 8,
  'i64.big': 8,
  nanos: 8,
}

function sizeAndAlign(name: string, spec: FieldSpec): [size: number, align: number] {
  if (spec?.kind === 'text') return [2 + spec.maxBytes, 2]
  if (spec?.kind === 'bytes') return [spec.length, 1]
  if (spec?.kind === 'array') return arraySize(name, spec.of, spec.length)
  if (spec?.kind === 'records') return [spec.of.byteLength * spec.most, 8]
  const size = Object.hasOwn(SIZES, spec?.kind) ? SIZES[spec.kind] : undefined
  return size === undefined || (spec.kind === 'names' && !Array.isArray(spec.names))
    ? refuse(name, 'a field such as u32, f64, nanos or text(64)', spec)
    : [size, size]
}

/** An array's elements lie as Rust's do: each at the size of its type, which is a multiple of its alignment. */
function arraySize(name: string, of: FieldSpec | RecordSpec, length: number): [size: number, align: number] {
  const [size, align] = elementSize(name, of)
  return [size * length, align]
}

/** The bytes of a value among others of its type, and what they are a multiple of. */
export function elementSize(name: string, of: FieldSpec | RecordSpec): [size: number, align: number] {
  if (typeof of === 'object' && of !== null && 'fields' in of) {
    const { align } = layOut(of.fields)
    return [upTo(of.byteLength, align), align]
  }
  const [size, align] = sizeAndAlign(name, of)
  return [upTo(size, align), align]
}

const upTo = (n: number, align: number) => Math.ceil(n / align) * align

/** The size of one field alone. */
export function sizeOf(spec: FieldSpec): number {
  const [size, align] = sizeAndAlign('type', spec)
  return upTo(size, align)
}

/** Fields in the given order at their natural alignment, as Rust's `repr(C)` has them. */
export function layOut(fields: RecordSpec['fields']): {
  places: readonly Place[]
  byteLength: number
  align: number
} {
  const places: Place[] = []
  let end = 0
  let widest = 1
  for (const [name, spec] of Object.entries(fields)) {
    const [size, align] = sizeAndAlign(name, spec)
    const offset = upTo(end, align)
    places.push({ name, spec, offset })
    end = offset + size
    widest = Math.max(widest, align)
  }
  return { places, byteLength: upTo(end, widest), align: widest }
}
