import fc from 'fast-check'
import {
  Bundle,
  bool,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  MarketEvent,
  nanos,
  RingBuffer,
  record,
  side,
  Trade,
  Transaction,
  text,
  u8,
  u16,
  u32,
  u64,
} from 'velox-engine'
import { describe, expect, test } from 'vitest'
import { native } from '../dist/native.js'
import { codecOf } from '../dist/record/codec.js'
import { expectCode } from './support/errors.js'

const Everything = record('Everything', {
  a: u8,
  b: i8,
  c: u16,
  d: i16,
  e: u32,
  f: i32,
  g: f32,
  h: f64,
  i: bool,
  j: u64,
  k: i64,
  l: u64.big,
  m: i64.big,
  n: nanos,
  o: side,
  p: text(16),
})

const everything = fc.record({
  a: fc.integer({ min: 0, max: 255 }),
  b: fc.integer({ min: -128, max: 127 }),
  c: fc.integer({ min: 0, max: 65_535 }),
  d: fc.integer({ min: -32_768, max: 32_767 }),
  e: fc.integer({ min: 0, max: 0xffff_ffff }),
  f: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  g: fc.float({ noNaN: true }),
  h: fc.double({ noNaN: true }),
  i: fc.boolean(),
  j: fc.maxSafeNat(),
  k: fc.maxSafeInteger(),
  l: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  m: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  n: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  o: fc.constantFrom('bid', 'ask'),
  p: fc.string({ unit: 'grapheme', maxLength: 16 }).filter((s) => Buffer.byteLength(s) <= 16 && s.isWellFormed()),
})

test('what is written is read back, in every field type', () => {
  const ring = new RingBuffer(Everything, 4)
  fc.assert(
    fc.property(everything, (value) => {
      expect(ring.push(value as never)).toBe(true)
      expect(ring.pop()).toEqual(value)
    }),
  )
})

test('the native records lie as they do in TypeScript', () => {
  const layouts = JSON.parse(native.recordLayouts()) as {
    name: string
    byteLength: number
    fields: [string, number][]
  }[]
  expect(layouts.map(({ name }) => name)).toEqual(['Transaction', 'MarketEvent', 'Trade', 'Bundle'])
  for (const [i, type] of [Transaction, MarketEvent, Trade, Bundle].entries()) {
    const { fields, name } = codecOf(type as typeof Transaction)
    const ours = { name, byteLength: type.byteLength, fields: fields.map(({ name, offset }) => [name, offset]) }
    expect(ours).toEqual(layouts[i])
  }
})

test('a record of fields lies as repr(C) has it', () => {
  const places = codecOf(record('R', { a: u8, b: u32, c: text(3), d: u64 })).fields
  expect(places.map(({ offset }) => offset)).toEqual([0, 4, 8, 16])
  expect(record('S', { a: u64, b: u8 }).byteLength).toBe(16)
})

describe('a value that does not fit is refused with its field', () => {
  const ring = new RingBuffer(Everything, 4)
  const [good] = fc.sample(everything, { numRuns: 1, seed: 1 }) as unknown as [Record<string, unknown>]
  test.each([
    ['a', 256],
    ['a', 1.5],
    ['a', '7'],
    ['b', -129],
    ['c', -1],
    ['e', 2 ** 32],
    ['f', 2 ** 31],
    ['g', '1'],
    ['h', undefined],
    ['i', 1],
    ['j', -1],
    ['l', 2n ** 64n],
    ['m', -(2n ** 63n) - 1n],
    ['n', -1n],
    ['o', 'buy'],
    ['p', 'seventeen letters'],
    ['p', '\ud800'],
    ['p', 7],
  ])('%s: %s', (field, value) => {
    expectCode(() => ring.push({ ...good, [field]: value } as never), 'VELOX_INVALID_VALUE', `${field}: expected`)
    expect(ring.length).toBe(0)
  })

  test('an integer that a number cannot hold exactly has a code of its own', () => {
    expectCode(() => ring.push({ ...good, j: 2 ** 53 } as never), 'VELOX_UNSAFE_INTEGER', 'j:')
    expectCode(() => ring.push({ ...good, k: -(2 ** 53) } as never), 'VELOX_UNSAFE_INTEGER', 'k:')
  })

  test('what is no object is refused', () => {
    for (const value of [undefined, null, 7, 'x']) expectCode(() => ring.push(value as never), 'VELOX_INVALID_VALUE')
  })
})

test('a u64 beyond 2^53 throws where it is read as a number and never where it is read big', () => {
  const wide = new RingBuffer(u64, 2)
  wide.push(2n ** 60n)
  expectCode(() => wide.pop(), 'VELOX_UNSAFE_INTEGER')
  expect(wide.length).toBe(1)
  expect(wide.drain(() => {}, 1)).toBe(1)
  const big = new RingBuffer(u64.big, 2)
  big.push(2n ** 60n)
  expect(big.pop()).toBe(2n ** 60n)
})

test('declarations that can not be are refused', () => {
  expectCode(() => record('R', {}), 'VELOX_INVALID_VALUE')
  expectCode(() => record('R', { length: u8 } as never), 'VELOX_INVALID_VALUE', 'length')
  expectCode(() => record('R', { a: {} as typeof u8 }), 'VELOX_INVALID_VALUE', 'a:')
  expectCode(() => record('R', { 1: u8 } as never), 'VELOX_INVALID_VALUE', 'no numbers')
  expectCode(() => record('R', { a: { kind: 'constructor' } as never }), 'VELOX_INVALID_VALUE', 'a:')
  expectCode(() => new RingBuffer({ kind: 'toString' } as never, 4), 'VELOX_INVALID_VALUE')
  expectCode(() => text(0), 'VELOX_INVALID_VALUE', 'maxBytes')
  expectCode(() => text(65_534), 'VELOX_INVALID_VALUE', 'maxBytes')
  expectCode(() => new RingBuffer(7 as never, 4), 'VELOX_INVALID_VALUE', 'type')
})

test('a type is plain data', () => {
  expect(structuredClone(Everything)).toEqual(Everything)
  expect(structuredClone(Bundle)).toEqual(Bundle)
})

const transaction = (id: number) => ({ id, price: -5, size: 7, side: 'ask', instrument: 3, ingressTsNs: 9n }) as const

test('a bundle carries up to sixteen transactions and their count', () => {
  const ring = new RingBuffer(Bundle, 4)
  const bundle = { transactions: [transaction(1), transaction(2)], count: 2, createdTsNs: 5n }
  ring.push(bundle)
  expect(ring.pop()).toEqual(bundle)
  expectCode(() => ring.push({ ...bundle, count: 3 }), 'VELOX_INVALID_VALUE', 'count')
  const seventeen = Array.from({ length: 17 }, (_, i) => transaction(i))
  expectCode(() => ring.push({ ...bundle, transactions: seventeen, count: 17 }), 'VELOX_INVALID_VALUE', 'at most 16')
})
