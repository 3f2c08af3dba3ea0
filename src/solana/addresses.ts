import type { RecordType } from '../../index.js'
import { checkOptions, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { codecOf } from '../record/codec.js'
import type { FieldSpec } from '../record/fields.js'
import { valuesOf } from './probe.js'

/**
 * Accounts that differ from record to record: from a table, by a field that is an index or a name, or the record's own, a
 * text in base58.
 */
export type Addresses<T extends RecordType> = Readonly<
  Record<
    string,
    | { readonly by: keyof T['fields'] & string; readonly table: readonly string[] | Readonly<Record<string, string>> }
    | { readonly field: keyof T['fields'] & string }
  >
>

/** One of them; without a table the field is the address. */
export interface AddressHole {
  readonly name: string
  readonly field: string
  readonly table: readonly string[]
}

/** The table in the order of the field's values. */
function listOf(name: string, spec: FieldSpec, table: readonly string[] | Readonly<Record<string, string>>): string[] {
  const field = `addresses.${name}.table`
  if (typeof table !== 'object' || table === null) return refuse(field, 'addresses by the value of the field', table)
  const list = Array.isArray(table)
    ? table
    : (valuesOf(spec) ?? []).map((value) => (table as Record<string, string>)[String(value)])
  if (list.length === 0 || !list.every((address) => typeof address === 'string'))
    refuse(field, 'an address in base58 for each value of the field', table)
  return list as string[]
}

export function checkAddresses<T extends RecordType>(record: T, addresses: Addresses<T>): AddressHole[] {
  const { fields, name: of } = codecOf(record)
  return Object.entries(addresses).map(([name, source]) => {
    checkOptions(source, ['by', 'table', 'field'], `addresses.${name}`)
    const field = 'by' in source ? source.by : source.field
    const found = fields.find((each) => each.name === field)
    if (found === undefined)
      throw new VeloxError('VELOX_UNKNOWN_FIELD', { record: of, field, known: fields.map((each) => each.name) })
    return { name, field, table: 'by' in source ? listOf(name, found.spec, source.table) : [] }
  })
}
