import type { RecordType } from '../../index.js'
import { refuse, words } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { isRecord, specOf } from '../record/fields.js'
import { Condition, EnumExpression, gathered, type Node, number } from './expression.js'

function nodeOf(field: string, value: unknown): Node {
  if (value instanceof Condition || value instanceof EnumExpression) return value.node
  if (typeof value === 'boolean') return { op: 'bool', value }
  if (typeof value === 'string' && !/^[-+\d.]/.test(value)) return { op: 'name', value }
  if (value === undefined || value === null) return refuse(field, 'an expression or a value', value)
  return number(value as never)
}

/** The fields of a map, in the order of its record. */
export function mappedOf(to: RecordType, make: () => unknown): readonly (readonly [string, Node])[] {
  const spec = specOf(to)
  if (!isRecord(spec)) return refuse('map', 'a record type to map to', to)
  const made = gathered('map', () => {
    const values = make()
    if (typeof values !== 'object' || values === null) return refuse('map', 'an object with the fields', values)
    const known = Object.keys(spec.fields)
    for (const [field, { kind }] of Object.entries(spec.fields)) {
      if (kind === 'text' || kind === 'bytes' || kind === 'array' || kind === 'records')
        refuse(field, 'a field of numbers, names or truth values: a stage can write others', words(`one of ${kind}`))
    }
    for (const field of Object.keys(values)) {
      if (!known.includes(field)) throw new VeloxError('VELOX_UNKNOWN_FIELD', { record: spec.name, field, known })
    }
    for (const field of known) {
      if (!Object.hasOwn(values, field)) refuse(field, `a value: every field of ${spec.name} is given`, words('none'))
    }
    const of = values as Record<string, unknown>
    return { roots: Object.values(of), of: known.map((field) => [field, nodeOf(field, of[field])] as const) }
  })
  return made.of
}
