// The code of accessors: what reads and writes one value of each kind, wherever it lies.

/** What is read or written at once. */
type Word = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64'

export const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const

/** How code reaches a value that stands `beyond` so many bytes behind the field's first one. */
export interface Memory {
  get(word: Word, beyond?: number): string
  set(word: Word, value: string, beyond?: number): string
  /** Where the field lies in `view`, in bytes. */
  readonly at: string
}

/** By a view and `at`, in bytes: wherever a record may lie. */
export const VIEW: Memory = {
  get: (word, beyond = 0) => `view.get${ARRAYS[word].name.slice(0, -5)}(at + ${beyond}, true)`,
  set: (word, value, beyond = 0) => `view.set${ARRAYS[word].name.slice(0, -5)}(at + ${beyond}, ${value}, true)`,
  at: 'at',
}

/**
 * By an array of its words and `n`, an index of it: for values that are aligned. After a store by a view V8 knows no field of any
 * object any more, and each accessor would look its window up again.
 */
export function elements(width: number, byteOffset: number): Memory {
  return {
    get: (word, beyond = 0) => `${word}[n + ${beyond / width}]`,
    set: (word, value, beyond = 0) => `${word}[n + ${beyond / width}] = ${value}`,
    at: `n * ${width} - ${byteOffset}`,
  }
}

// A read that finds what can't be goes on to the scalar, which says what is wrong with it.
const READS: Readonly<Record<string, (m: Memory) => string>> = {
  u8: (m) => `return ${m.get('u8')}`,
  i8: (m) => `return ${m.get('i8')}`,
  u16: (m) => `return ${m.get('u16')}`,
  i16: (m) => `return ${m.get('i16')}`,
  u32: (m) => `return ${m.get('u32')}`,
  i32: (m) => `return ${m.get('i32')}`,
  f32: (m) => `return ${m.get('f32')}`,
  f64: (m) => `return ${m.get('f64')}`,
  side: (m) => `const side = ${m.get('u8')}
    return side === 0 ? 'bid' : side === 1 ? 'ask' : scalar.read(view, ${m.at})`,
  // Most numbers fit 31 bits: those stay integers in the machine's own form.
  u64: (m) => `const low = ${m.get('i32')}, high = ${m.get('u32', 4)}
    if (high === 0 && low >= 0) return low
    return high < 0x200000 ? high * 0x100000000 + (low >>> 0) : scalar.read(view, ${m.at})`,
  i64: (m) => `const low = ${m.get('i32')}, high = ${m.get('i32', 4)}
    if (high === 0 && low >= 0) return low
    return high < 0x200000 && high > -0x200000 ? high * 0x100000000 + (low >>> 0) : scalar.read(view, ${m.at})`,
}

const WRITES: Readonly<Record<string, (m: Memory) => string>> = {
  u8: (m) => `if (typeof value === 'number' && (value & 0xff) === value) ${m.set('u8', 'value')}`,
  u16: (m) => `if (typeof value === 'number' && (value & 0xffff) === value) ${m.set('u16', 'value')}`,
  u32: (m) => `if (typeof value === 'number' && value >>> 0 === value) ${m.set('u32', 'value')}`,
  i32: (m) => `if (typeof value === 'number' && (value | 0) === value) ${m.set('i32', 'value')}`,
  u64: (m) => `if (typeof value === 'number' && value >>> 0 === value) {
      ${m.set('u32', 'value')}
      ${m.set('u32', '0', 4)}
    }`,
  f64: (m) => `if (typeof value === 'number') ${m.set('f64', 'value')}`,
  i64: (m) => `if (Number.isSafeInteger(value)) {
      const high = Math.floor(value / 0x100000000)
      ${m.set('u32', 'value - high * 0x100000000')}
      ${m.set('i32', 'high', 4)}
    }`,
}

/** The bytes of a word of the kinds that are read and written in place. */
const WIDTHS: Readonly<Record<string, number>> = { u8: 1, i8: 1, side: 1, u16: 2, i16: 2, f64: 8 }

export const widthOf = (kind: string): number => (Object.hasOwn(WIDTHS, kind) ? (WIDTHS[kind] as number) : 4)

export const readBody = (kind: string, m: Memory): string =>
  (Object.hasOwn(READS, kind) && READS[kind]?.(m)) || `return scalar.read(view, ${m.at})`

export function writeBody(kind: string, m: Memory): string {
  const quick = Object.hasOwn(WRITES, kind) ? `${WRITES[kind]?.(m)}\n    else ` : ''
  return `${quick}scalar.write(view, ${m.at}, value)`
}
