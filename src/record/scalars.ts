// How one field is written to memory and read from it. Memory may be any script's: what is read is checked.
import { checkSide, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import type { FieldSpec } from './fields.js'
import { textCodec } from './text.js'

/** Writes and reads a value of one type at a byte offset. */
export interface Scalar {
  write(view: DataView, at: number, value: never): void
  read(view: DataView, at: number): unknown
}

const LITTLE = true
const WORD = 2 ** 32
const SIDES = ['bid', 'ask']

export function invalid(record: string, field: string, expected: string, got: unknown): never {
  throw new VeloxError('VELOX_RECORD_INVALID', { record, field, expected, got })
}

function unsafe(field: string): never {
  throw new VeloxError('VELOX_UNSAFE_INTEGER', { field })
}

function integer(field: string, kind: string, min: number, max: number): Scalar {
  const name = kind.startsWith('u') ? kind.replace('u', 'Uint') : kind.replace('i', 'Int')
  const view = DataView.prototype as unknown as Record<string, (at: number, ...rest: unknown[]) => number>
  const [get, set] = [view[`get${name}`], view[`set${name}`]] as [(typeof view)[string], (typeof view)[string]]
  return {
    write(v, at, value) {
      if (!Number.isInteger(value) || value < min || value > max) {
        refuse(field, `a whole number, ${min} to ${max}`, value)
      }
      set.call(v, at, value, LITTLE)
    },
    read: (v, at) => get.call(v, at, LITTLE),
  }
}

function float(field: string, double: boolean): Scalar {
  return {
    write(v, at, value) {
      if (typeof value !== 'number') refuse(field, 'a number', value)
      if (!double && Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
        refuse(field, 'a number that an f32 holds, up to 3.4e38', value)
      if (double) v.setFloat64(at, value, LITTLE)
      else v.setFloat32(at, value, LITTLE)
    },
    read: (v, at) => (double ? v.getFloat64(at, LITTLE) : v.getFloat32(at, LITTLE)),
  }
}

function wide(field: string, signed: boolean, big: boolean): Scalar {
  const [min, max, range] = signed
    ? [-(2n ** 63n), 2n ** 63n - 1n, '-2^63 to 2^63 - 1']
    : [0n, 2n ** 64n - 1n, '0 to 2^64 - 1']
  return {
    write(v, at, value: number | bigint) {
      if (typeof value === 'bigint') {
        if (value < min || value > max) refuse(field, range, value)
        if (signed) v.setBigInt64(at, value, LITTLE)
        else v.setBigUint64(at, value, LITTLE)
        return
      }
      if (!Number.isSafeInteger(value)) {
        if (Number.isInteger(value)) unsafe(field)
        refuse(field, 'a whole number or a bigint', value)
      }
      if (value < 0 && !signed) refuse(field, range, value)
      const high = Math.floor(value / WORD)
      v.setUint32(at, value - high * WORD, LITTLE)
      v.setInt32(at + 4, high, LITTLE)
    },
    read(v, at) {
      if (big) return signed ? v.getBigInt64(at, LITTLE) : v.getBigUint64(at, LITTLE)
      const high = signed ? v.getInt32(at + 4, LITTLE) : v.getUint32(at + 4, LITTLE)
      const value = high * WORD + v.getUint32(at, LITTLE)
      return Number.isSafeInteger(value) ? value : unsafe(field)
    },
  }
}

function oneOf(record: string, field: string, names: readonly string[], store: (value: unknown) => number): Scalar {
  const expected = names.map((name, i) => `${i} (${name})`).join(', ')
  return {
    write: (v, at, value) => v.setUint8(at, store(value)),
    read(v, at) {
      const stored = v.getUint8(at)
      return names[stored] ?? invalid(record, field, expected, stored)
    },
  }
}

function boolean(record: string, field: string): Scalar {
  return {
    write(v, at, value) {
      if (typeof value !== 'boolean') refuse(field, 'true or false', value)
      v.setUint8(at, value ? 1 : 0)
    },
    read(v, at) {
      const stored = v.getUint8(at)
      return stored < 2 ? stored === 1 : invalid(record, field, '0 (false) or 1 (true)', stored)
    },
  }
}

function named(record: string, field: string, names: readonly string[]): Scalar {
  const expected = names.map((name) => `'${name}'`).join(', ')
  return oneOf(record, field, names, (value) => {
    const at = names.indexOf(value as string)
    return at >= 0 ? at : refuse(field, expected, value)
  })
}

/** The scalar of a field; `record` and `field` are what errors name. */
export function scalarOf(
  record: string,
  field: string,
  spec: Exclude<FieldSpec, { kind: 'records' | 'bytes' | 'array' }>,
): Scalar {
  switch (spec.kind) {
    case 'u8':
      return integer(field, 'u8', 0, 0xff)
    case 'i8':
      return integer(field, 'i8', -0x80, 0x7f)
    case 'u16':
      return integer(field, 'u16', 0, 0xffff)
    case 'i16':
      return integer(field, 'i16', -0x8000, 0x7fff)
    case 'u32':
      return integer(field, 'u32', 0, 0xffff_ffff)
    case 'i32':
      return integer(field, 'i32', -0x8000_0000, 0x7fff_ffff)
    case 'f32':
      return float(field, false)
    case 'f64':
      return float(field, true)
    case 'u64':
      return wide(field, false, false)
    case 'i64':
      return wide(field, true, false)
    case 'u64.big':
    case 'nanos':
      return wide(field, false, true)
    case 'i64.big':
      return wide(field, true, true)
    case 'bool':
      return boolean(record, field)
    case 'side':
      return oneOf(record, field, SIDES, (value) => checkSide(field, value))
    case 'names':
      return named(record, field, spec.names)
    case 'text':
      return textCodec(record, field, spec.maxBytes)
  }
}
