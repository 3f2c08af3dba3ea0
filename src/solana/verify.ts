// A template was found by trying, so it is tried: what it makes of random records must say what kit's own messages say.
import { randomBytes, randomInt } from 'node:crypto'
import type * as Kit from '@solana/kit'
import type { Input, RecordType } from '../../index.js'
import { codecOf } from '../record/codec.js'
import type { FieldSpec } from '../record/fields.js'
import { sizeOf } from '../record/layout.js'
import type { AddressHole } from './addresses.js'
import type { KitInstruction, KitMessage } from './kit.js'
import type { HolePlan } from './plan.js'
import { type Build, numberOf, refuseEach, valuesOf } from './probe.js'
import { type Resolved, resolve } from './resolved.js'
import type { TransactionTemplate } from './transaction-template.js'

/** Code that asks for a name, or for a size, chooses rarely what is wrong: every name gets several rounds, and large numbers are many. */
const ROUNDS = 64
const MOST_ROUNDS = 256
const BLOCKHASH = '11111111111111111111111111111111'

interface Trial<T extends RecordType> {
  readonly kit: typeof Kit
  readonly template: TransactionTemplate<T>
  readonly message: KitMessage
  readonly build: (addresses: Record<string, Kit.Address>) => Build
  readonly holes: readonly HolePlan[]
  readonly addressHoles: readonly AddressHole[]
}

/** A random value that the field and its holes can have, of a random length; one time in four the largest. */
function randomValue(spec: FieldSpec, holes: readonly HolePlan[], indices: number | undefined): unknown {
  if (indices !== undefined) return numberOf(spec, BigInt(randomInt(indices)))
  if (spec.kind === 'f32' || spec.kind === 'f64') return 0
  const isSigned = spec.kind.startsWith('i')
  const formats = holes.flatMap((hole) => ('format' in hole ? [hole.format] : []))
  const integers = formats.filter((format) => format.kind === 'integer')
  // What a number in an object can hold; the hole's and the field's sign bits are not for the value.
  const widths = integers.map((format) => 8 * format.bytes - (format.signed ? 1 : 0))
  const most = Math.min(53, 8 * sizeOf(spec) - (isSigned ? 1 : 0), ...widths)
  const isLargest = randomInt(4) === 0
  const bits = BigInt(isLargest ? most : randomInt(most + 1))
  const value = isLargest ? (1n << bits) - 1n : randomBytes(8).readBigUInt64LE() & ((1n << bits) - 1n)
  const isNegative = isSigned && integers.every((format) => format.signed) && randomInt(2) === 1
  return numberOf(spec, isNegative ? -value : value)
}

/** The values of a random record, and its addresses. With a number names go through all their combinations by it. */
function trial<T extends RecordType>({ kit, template, holes, addressHoles }: Trial<T>, number?: number) {
  let left = number ?? 0
  const row: Record<string, unknown> = {}
  const addresses: Record<string, Kit.Address> = {}
  for (const { name, spec } of codecOf(template.record).fields) {
    const by = addressHoles.filter((hole) => hole.field === name)
    const values = valuesOf(spec)
    if (values !== undefined) {
      row[name] = values[number === undefined ? randomInt(values.length) : left % values.length]
      left = Math.floor(left / values.length)
    } else if (spec.kind === 'text') {
      row[name] = by.length > 0 ? kit.getAddressDecoder().decode(randomBytes(32)) : ''
    } else {
      const lengths = by.map(({ table }) => table.length)
      const own = holes.filter((hole) => hole.field === name)
      row[name] = randomValue(spec, own, lengths.length > 0 ? Math.min(...lengths) : undefined)
    }
    for (const hole of by) {
      const index = values?.indexOf(row[name]) ?? Number(row[name])
      addresses[hole.name] = (hole.table.length > 0 ? hole.table[index] : row[name]) as Kit.Address
    }
  }
  return { row: row as Input<T>, addresses }
}

const text = (of: readonly Resolved[]) => JSON.stringify(of)

export async function verify<T extends RecordType>(o: Trial<T>): Promise<void> {
  const { kit, template, message, build } = o
  const price = kit.getTransactionMessageComputeUnitPrice(message as never)
  const context = { blockhash: BLOCKHASH, lastValidBlockHeight: 0n, computeUnitPrice: price ?? 0n }
  const specs = codecOf(template.record).fields.map(({ spec }) => valuesOf(spec)?.length ?? 1)
  const combinations = specs.reduce((product, length) => product * length, 1)
  const rounds = Math.min(MOST_ROUNDS, Math.max(ROUNDS, 4 * combinations))
  const per = template.recordsPerTransaction
  const isAll = combinations <= rounds
  for (let round = 0; round < rounds; round++) {
    const trials = Array.from({ length: per }, (_, i) => trial(o, isAll ? round * per + i : undefined))
    const instructions: KitInstruction[] = trials.flatMap(({ row, addresses }) => build(addresses)(row))
    const whole = kit.appendTransactionMessageInstructions(instructions, message as never)
    const expected = resolve(kit.compileTransactionMessage(whole as never))
    const [signed] = await template.build(
      trials.map(({ row }) => row),
      context,
    )
    const { messageBytes } = kit.getTransactionDecoder().decode(signed?.wire as Uint8Array)
    const got = resolve(kit.getCompiledTransactionMessageDecoder().decode(messageBytes))
    if (text(got) !== text(expected)) {
      const at = expected.findIndex((each, i) => text([each]) !== text([got[i] as Resolved]))
      refuseEach(
        'fields that are put in as they are, and addresses as they are declared',
        `a record of which instruction ${at - message.instructions.length} becomes another than kit's`,
      )
    }
  }
}
