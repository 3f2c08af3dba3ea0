// Finds where the fields of a record go, by asking what they change: the user's own code builds an instruction of a record
// of zeros and of records in which one byte is set.
import type { RecordType } from '../../index.js'
import { textOf } from '../errors/crossing.js'
import { describe, words } from '../errors/describe.js'
import { VeloxError } from '../errors/velox-error.js'
import { codecOf } from '../record/codec.js'
import type { FieldSpec } from '../record/fields.js'
import { sizeOf } from '../record/layout.js'
import type { KitInstruction } from './kit.js'
import type { FormatPlan } from './plan.js'

export type Build = (row: object) => readonly KitInstruction[]
/** A hole that was found: its instruction is counted from the record's first. */
export interface Found {
  readonly field: string
  readonly instruction: number
  readonly offset: number
  readonly format: FormatPlan
}
/** Where a byte of data is. */
interface At {
  readonly instruction: number
  readonly offset: number
}

export function refuseEach(expected: string, got: string, cause?: unknown): never {
  throw new VeloxError(
    'VELOX_TEMPLATE_INVALID',
    { field: 'each', expected, got: words(got) },
    cause === undefined ? {} : { cause },
  )
}

const isBig = (spec: FieldSpec) => spec.kind === 'nanos' || spec.kind.endsWith('.big')
const isSigned = (spec: FieldSpec) => /^i\d/.test(spec.kind)

/** The values of a field that is a name or a truth value; none of a number. */
export function valuesOf(spec: FieldSpec): readonly unknown[] | undefined {
  if (spec.kind === 'side') return ['bid', 'ask']
  if (spec.kind === 'bool') return [false, true]
  return spec.kind === 'names' ? spec.names : undefined
}

const isInteger = (spec: FieldSpec) => /^[ui]\d|^nanos/.test(spec.kind)

function zeroOf(spec: FieldSpec): unknown {
  if (isInteger(spec)) return numberOf(spec, 0n)
  return spec.kind === 'text' ? '' : (valuesOf(spec)?.[0] ?? 0)
}

/** A number as the field has it in objects. */
export const numberOf = (spec: FieldSpec, value: bigint): number | bigint => (isBig(spec) ? value : Number(value))

/** Writes down which fields a function reads. */
function watched(row: Record<string, unknown>, names: Iterable<string>, read: Set<string>): object {
  const seen = {}
  for (const name of names) {
    const get = () => {
      read.add(name)
      return row[name]
    }
    Object.defineProperty(seen, name, { get, enumerable: true })
  }
  return seen
}

/** What a client of a program makes of a record: an account that has no address is one that was taken from the record. */
function checkInstructions(given: readonly KitInstruction[]): readonly KitInstruction[] {
  if (!Array.isArray(given) || given.length === 0) refuseEach('at least one instruction', describe(given))
  for (const { programAddress, accounts = [] } of given as readonly Partial<KitInstruction>[]) {
    if (typeof programAddress !== 'string') refuseEach('instructions with a programAddress', describe(programAddress))
    const wrong = accounts.find((account) => typeof account?.address !== 'string' || account.address === '')
    if (accounts.includes(wrong as never))
      refuseEach("accounts with an address, declared in `addresses` where it is the record's", describe(wrong))
  }
  return given
}

const dataOf = (instruction: KitInstruction) => Buffer.from(instruction.data ?? [])

/** Where the data of two lists of instructions differs; they must be alike in all else. */
function differences(base: readonly KitInstruction[], other: readonly KitInstruction[], field: string): At[] {
  const shape = (list: readonly KitInstruction[]) =>
    list.map(({ programAddress, accounts = [], data = [] }) => [
      programAddress,
      accounts.map(({ address, role }) => [address, role]),
      data.length,
    ])
  if (JSON.stringify(shape(base)) !== JSON.stringify(shape(other)))
    refuseEach(
      'fields that change bytes of data; addresses are declared in `addresses`',
      `${field}, which changes more`,
    )
  return base.flatMap((instruction, i) => {
    const [before, after] = [dataOf(instruction), dataOf(other[i] as KitInstruction)]
    return Array.from(before.keys())
      .filter((offset) => before[offset] !== after[offset])
      .map((offset) => ({ instruction: i, offset }))
  })
}

const byteAt = (list: readonly KitInstruction[], { instruction, offset }: At) =>
  dataOf(list[instruction] as KitInstruction)[offset]

/** The holes of a whole number: chains of its bytes, low or high first, and single bytes of it. */
function numberHoles(field: string, spec: FieldSpec, run: (value: bigint) => readonly KitInstruction[]): Found[] {
  const attempt = (value: bigint) => {
    try {
      return run(value)
    } catch (error) {
      if (error instanceof VeloxError && error.code === 'VELOX_TEMPLATE_INVALID') throw error
      return undefined
    }
  }
  const base = run(0n)
  const places: At[][] = []
  const size = sizeOf(spec)
  for (let byte = 0; byte < size; byte++) {
    const set = attempt(1n << BigInt(8 * byte))
    if (set === undefined) break
    const at = differences(base, set, field)
    if (at.some((place) => byteAt(base, place) !== 0 || byteAt(set, place) !== 1))
      refuseEach('fields that are put in as they are', `${field}, which is calculated with`)
    places.push(at)
  }
  const negative = isSigned(spec) ? attempt(-1n) : undefined
  const has = (at: readonly At[] | undefined, { instruction, offset }: At) =>
    at?.some((place) => place.instruction === instruction && place.offset === offset) === true
  const found: Found[] = []
  const taken: At[] = []
  for (const start of places[0] ?? []) {
    for (const step of [1, -1]) {
      const byte = (i: number) => ({ ...start, offset: start.offset + step * i })
      // A number of one byte has no order; one that is cut is told byte by byte, below.
      if (!places.every((at, i) => has(at, byte(i))) || (step === -1 && places.length === 1)) continue
      let bytes = places.length
      const extended = negative === undefined ? [] : differences(base, negative, field)
      while (bytes < 16 && has(extended, byte(bytes))) bytes++
      const signed = negative !== undefined || attempt(1n << BigInt(8 * bytes - 1)) === undefined
      const format = { kind: 'integer', bytes, signed, bigEndian: step === -1 } as const
      found.push({ field, ...(step === -1 ? byte(bytes - 1) : start), format })
      taken.push(...Array.from({ length: bytes }, (_, i) => byte(i)))
      break
    }
  }
  for (const [index, at] of places.entries()) {
    for (const place of at.filter((place) => !has(taken, place)))
      found.push({ field, ...place, format: { kind: 'byte', index } })
  }
  return found
}

/** The holes of a name: each stretch of data that differs between names, and what stands there for each. */
function choiceHoles(
  field: string,
  values: readonly unknown[],
  run: (value: unknown) => readonly KitInstruction[],
): Found[] {
  const all = values.map(run)
  const base = all[0] as readonly KitInstruction[]
  const changed = all.flatMap((other) => differences(base, other, field))
  return base.flatMap((_, instruction) => {
    const offsets = new Set(changed.filter((place) => place.instruction === instruction).map(({ offset }) => offset))
    const starts = [...offsets].filter((offset) => !offsets.has(offset - 1))
    return starts.map((offset) => {
      let end = offset
      while (offsets.has(end)) end++
      const table = all.map((list) => [...dataOf(list[instruction] as KitInstruction).subarray(offset, end)])
      return { field, instruction, offset, format: { kind: 'choice', table } as const }
    })
  })
}

/** The record's own instructions for a record of zeros, and the holes in their data. */
export function probe(record: RecordType, build: Build): { base: readonly KitInstruction[]; holes: Found[] } {
  const specs = new Map(codecOf(record).fields.map(({ name, spec }) => [name, spec]))
  const zeros: Record<string, unknown> = {}
  for (const [name, spec] of specs) zeros[name] = zeroOf(spec)
  const read = new Set<string>()
  const run = (values: object): readonly KitInstruction[] =>
    checkInstructions(build(watched({ ...zeros, ...values }, specs.keys(), read)))
  let base: readonly KitInstruction[]
  try {
    base = run({})
  } catch (error) {
    if (error instanceof VeloxError) throw error
    refuseEach('instructions of a record of zeros', `an error: ${textOf(error)}`, error)
  }
  const holesOf = (field: string) => {
    const spec = specs.get(field) as FieldSpec
    const values = valuesOf(spec)
    if (values !== undefined) return choiceHoles(field, values, (value) => run({ [field]: value }))
    if (isInteger(spec)) return numberHoles(field, spec, (value) => run({ [field]: numberOf(spec, value) }))
    if (differences(base, run({ [field]: spec.kind === 'text' ? 'x' : 1.5 }), field).length === 0) return []
    return refuseEach('fields that are whole numbers, names or truth values', `${field}, which is ${spec.kind}`)
  }
  const holes: Found[] = []
  // Trying one field may show that others are read too.
  for (const field of read) holes.push(...holesOf(field))
  return { base, holes }
}
