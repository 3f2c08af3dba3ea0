import { describe, kindOf, words } from './describe.js'
import { VeloxError } from './velox-error.js'

export { describe, kindOf, words }

/** What a line of a report has room for. */
const LONGEST_NAME = 200
const MAX_U64 = 2n ** 64n - 1n

export function refuse(field: string, expected: string, got: unknown): never {
  throw new VeloxError('VELOX_INVALID_VALUE', { field, expected, got })
}

/** A whole number, exact in JavaScript, within bounds. */
export function checkInteger(
  field: string,
  value: number,
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new VeloxError('VELOX_UNSAFE_INTEGER', { field })
  const bounded = min > Number.MIN_SAFE_INTEGER || max < Number.MAX_SAFE_INTEGER
  const upTo = max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : ' or more'
  return refuse(field, bounded ? `a whole number, ${min}${upTo}` : 'a whole number', value)
}

export function checkCount(field: string, value: number): number {
  return checkInteger(field, value, 0)
}

export function checkPositive(field: string, value: number): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
    ? value
    : refuse(field, 'a number above 0', value)
}

export function checkString(field: string, value: string): string {
  return typeof value === 'string' ? value : refuse(field, 'a string', value)
}

/** A name that stands in reports. */
export function checkName(field: string, value: string): string {
  if (typeof value !== 'string' || value.trim() === '') return refuse(field, 'a string that is not empty', value)
  const fits = value.length <= LONGEST_NAME && !/\p{Cc}/u.test(value)
  return fits ? value : refuse(field, `one line of at most ${LONGEST_NAME} characters`, value)
}

/** An array, a typed array, or what has elements like one; not a string. */
export function checkList<V>(field: string, value: ArrayLike<V>): ArrayLike<V> {
  const isList = typeof value === 'object' && value !== null && Number.isSafeInteger(value.length) && value.length >= 0
  return isList && value.length < 2 ** 32 ? value : refuse(field, 'an array', value)
}

/** A counter value or an instant: unsigned 64 bits. */
export function checkTicks(field: string, value: bigint): bigint {
  return typeof value === 'bigint' && value >= 0n && value <= MAX_U64
    ? value
    : refuse(field, 'a bigint, 0n to 2^64 - 1', value)
}

/** The side as stored: 0 bid, 1 ask. */
export function checkSide(field: string, value: unknown): 0 | 1 {
  if (value === 'bid') return 0
  if (value === 'ask') return 1
  return refuse(field, "'bid' or 'ask'", value)
}

/** Nanoseconds: a safe integer or a bigint, unsigned 64 bits. */
export function checkTime(field: string, value: number | bigint): number | bigint {
  if (typeof value !== 'bigint') return checkCount(field, value)
  return value >= 0n && value <= MAX_U64 ? value : refuse(field, '0 to 2^64 - 1', value)
}

export function checkSignal(field: string, signal: AbortSignal | undefined): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) refuse(field, 'an AbortSignal', signal)
}

const Async = (async () => {}).constructor

/** A function that answers at once. */
export function checkFunction(field: string, expected: string, f: unknown): void {
  if (typeof f !== 'function') refuse(field, expected, f)
  if (f instanceof Async) refuse(field, `${expected}, at once`, words('an async function'))
}

/** Refuses options that there are not: a typo must not be a default. */
export function checkOptions(given: object, known: readonly string[], of: string): void {
  if (typeof given !== 'object' || given === null)
    refuse(of, `an object of options: ${known.join(', ')}`, kindOf(given))
  for (const option of Object.keys(given)) {
    if (!known.includes(option)) throw new VeloxError('VELOX_UNKNOWN_OPTION', { option, known })
  }
}
