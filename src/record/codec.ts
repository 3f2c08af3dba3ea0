import type { Element, Infer, Input } from '../../index.js'
import { refuse, words } from '../errors/check.js'
import { wholeOf } from './accessor.js'
import { type FieldSpec, isRecord, type RecordSpec, specOf } from './fields.js'
import { elementSize, layOut, type Place, sizeOf } from './layout.js'
import { invalid, type Scalar, scalarOf } from './scalars.js'

/** Writes and reads whole values of a type. */
export interface Codec<T extends Element> {
  readonly name: string
  readonly byteLength: number
  /** Two types with the same signature lie the same in memory. */
  readonly signature: string
  /** The fields of a record, each to be read alone; none for a plain field. */
  readonly fields: readonly {
    readonly name: string
    readonly offset: number
    readonly spec: FieldSpec
    readonly scalar: Scalar
  }[]
  /** Throws for a value that doesn't fit; the memory may be half written then. */
  write(view: DataView, at: number, value: Input<T>): void
  /** Throws for memory that holds no such value. */
  read(view: DataView, at: number): Infer<T>
}

type Values = Record<string, unknown>

/** A value whose type is made of others. */
type Composed = Extract<FieldSpec, { kind: 'bytes' | 'array' }>

/** The field that says how many records of a list are active. */
const COUNT = 'count'

/** `count` transactions and room for the rest: the count is a field of its own, behind them. */
function records(record: string, place: Place, countAt: number): Scalar {
  const { name, spec, offset } = place as Place & { spec: Extract<FieldSpec, { kind: 'records' }> }
  const { of, most } = spec
  const inner = codecOfRecord(of)
  return {
    write(view, at, values: readonly Values[]) {
      if (!Array.isArray(values) || values.length > most) refuse(name, `an array of at most ${most}`, values)
      for (const [i, value] of values.entries()) inner.write(view, at + i * of.byteLength, value as never)
    },
    read(view, at) {
      const count = view.getUint32(at - offset + countAt, true)
      if (count > most) invalid(record, COUNT, `0 to ${most}`, count)
      return Array.from({ length: count }, (_, i) => inner.read(view, at + i * of.byteLength))
    },
  }
}

/** So many bytes, copied: what is read doesn't change any more. */
function bytesOf(field: string, length: number): Scalar {
  const bytesAt = (view: DataView, at: number) => new Uint8Array(view.buffer, view.byteOffset + at, length)
  return {
    write(view, at, value: Uint8Array) {
      if (!(value instanceof Uint8Array) || value.length !== length) {
        refuse(
          field,
          `a Uint8Array of ${length} bytes`,
          value instanceof Uint8Array ? words(`${value.length} bytes`) : value,
        )
      }
      bytesAt(view, at).set(value)
    },
    read: (view, at) => new Uint8Array(bytesAt(view, at)),
  }
}

/** So many values of one type. */
function arrayOf(record: string, field: string, of: FieldSpec | RecordSpec, length: number): Scalar {
  const [stride] = elementSize(field, of)
  const inner: Pick<Codec<Element>, 'write' | 'read'> = isRecord(of)
    ? codecOfRecord(of)
    : (fieldCodec(record, field, of as Exclude<FieldSpec, { kind: 'records' }>) as never)
  return {
    write(view, at, values: ArrayLike<unknown>) {
      if (typeof values !== 'object' || values === null || values.length !== length) {
        refuse(field, `an array of ${length}`, values)
      }
      for (let i = 0; i < length; i++) inner.write(view, at + i * stride, values[i] as never)
    },
    read: (view, at) => Array.from({ length }, (_, i) => inner.read(view, at + i * stride)),
  }
}

function isComposed(spec: FieldSpec): spec is Composed {
  return spec?.kind === 'bytes' || spec?.kind === 'array'
}

function fieldCodec(record: string, field: string, spec: Exclude<FieldSpec, { kind: 'records' }>): Scalar {
  if (!isComposed(spec)) return scalarOf(record, field, spec)
  return spec.kind === 'bytes' ? bytesOf(field, spec.length) : arrayOf(record, field, spec.of, spec.length)
}

function codecOfRecord(spec: RecordSpec): Codec<Element> {
  const { name, byteLength } = spec
  const { places } = layOut(spec.fields)
  const countAt = places.find((place) => place.name === COUNT)?.offset ?? 0
  const fields = places.map((place) => {
    const { spec } = place
    return {
      ...place,
      scalar: spec.kind === 'records' ? records(name, place, countAt) : fieldCodec(name, place.name, spec),
    }
  })
  const whole = wholeOf(fields)
  const counted = fields.find(({ spec }) => spec.kind === 'records')?.name
  return {
    name,
    byteLength,
    signature: JSON.stringify([name, byteLength, spec.fields]),
    fields,
    write(view, at, value) {
      if (typeof value !== 'object' || value === null) refuse(name, 'an object with the fields of the record', value)
      const values = value as unknown as Values
      if (whole) whole.write(view, at, values)
      else for (const { name, offset, scalar } of fields) scalar.write(view, at + offset, values[name] as never)
      if (counted !== undefined && (values[counted] as unknown[]).length !== values[COUNT]) {
        refuse(COUNT, `${(values[counted] as unknown[]).length}, as there are ${counted}`, values[COUNT])
      }
    },
    read(view, at) {
      if (whole) return whole.read(view, at) as never
      const values: Values = {}
      for (const { name, offset, scalar } of fields) values[name] = scalar.read(view, at + offset)
      return values as never
    },
  }
}

function codecOfField(spec: FieldSpec): Codec<Element> {
  if (spec?.kind === 'records') return refuse('type', 'a record or a field', spec)
  const byteLength = sizeOf(spec)
  const scalar = fieldCodec(spec.kind, 'value', spec)
  return {
    name: spec.kind,
    byteLength,
    signature: JSON.stringify(spec),
    fields: [],
    write: (view, at, value) => scalar.write(view, at, value as never),
    read: (view, at) => scalar.read(view, at) as never,
  }
}

const known = new WeakMap<object, Codec<Element>>()

export function codecOf<T extends Element>(type: T): Codec<T> {
  const spec = specOf(type)
  if (typeof spec !== 'object' || spec === null)
    return refuse('type', 'a record or a field such as u32 or text(64)', spec)
  let codec = known.get(spec)
  if (codec === undefined) {
    codec = isRecord(spec) ? codecOfRecord(spec) : codecOfField(spec)
    known.set(spec, codec)
  }
  return codec as unknown as Codec<T>
}
