import type { Fields, RecordType } from '../../index.js'
import { checkString, refuse } from '../errors/check.js'
import type { RecordSpec } from './fields.js'
import { layOut } from './layout.js'

/** Names that a batch has for itself; what has a `then` is taken for a promise. */
const TAKEN = ['length', 'at', 'toArray', 'push', 'room', 'keep', 'then']

export function record<const F extends Fields>(name: string, fields: F): RecordType<F> {
  checkString('name', name)
  if (typeof fields !== 'object' || fields === null || Object.keys(fields).length === 0) {
    refuse('fields', 'an object with at least one field', fields)
  }
  for (const field of Object.keys(fields)) {
    // JavaScript puts such names first, whatever the order they were written in.
    if (/^\d+$/.test(field)) refuse('fields', 'names that are no numbers', field)
    if (TAKEN.includes(field) || field === '__proto__') refuse('fields', `names other than ${TAKEN.join(', ')}`, field)
  }
  return declare(name, fields)
}

/** A record of a given length, where its native twin is longer than its fields. */
export function declare<F extends Fields>(name: string, fields: F, byteLength?: number): RecordType<F> {
  const specs = fields as unknown as RecordSpec['fields']
  return Object.freeze({
    name,
    fields: Object.freeze({ ...fields }),
    byteLength: byteLength ?? layOut(specs).byteLength,
  })
}
