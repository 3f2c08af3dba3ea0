import type { Columns, Element } from '../../index.js'
import { refuse, words } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { type FieldSpec, isRecord, specOf } from '../record/fields.js'
import { Condition, EnumExpression, NumExpression } from './expression.js'

function columnOf(step: string, name: string, spec: FieldSpec): unknown {
  const node = { op: 'column', name }
  switch (spec.kind) {
    case 'bool':
      return new Condition(node, true)
    case 'side':
      return new EnumExpression(node, ['bid', 'ask'])
    case 'names':
      return new EnumExpression(node, spec.names)
    case 'text':
    case 'bytes':
    case 'array':
    case 'records':
      return refuse(step, 'a field of numbers, names or truth values', words(`${name}, a field of ${spec.kind}`))
    default:
      return new NumExpression(node)
  }
}

/** The fields of a record as expressions; a field that there is not is told with those that there are. */
export function columnsOf<T extends Element>(step: string, type: T): Columns<T> {
  const spec = specOf(type)
  if (!isRecord(spec)) return refuse(step, 'a pipeline of records', words(`one of ${spec.kind}`))
  const { name: record, fields } = spec
  return new Proxy(Object.create(null) as object, {
    get(_, name) {
      if (typeof name === 'symbol') return undefined
      if (Object.hasOwn(fields, name)) return columnOf(step, name, fields[name] as FieldSpec)
      throw new VeloxError('VELOX_UNKNOWN_FIELD', { record, field: name, known: Object.keys(fields) })
    },
  }) as Columns<T>
}
