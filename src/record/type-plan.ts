import type { Element } from '../../index.js'
import type { FieldPlan, TypePlan } from '../pipeline/plan.js'
import { codecOf } from './codec.js'
import type { FieldSpec } from './fields.js'
import { typeKey } from './type-key.js'

function fieldOf(name: string, offset: number, spec: FieldSpec): FieldPlan {
  switch (spec.kind) {
    case 'text':
      return { name, offset, kind: 'text', maxBytes: spec.maxBytes }
    case 'names':
      return { name, offset, kind: 'names', names: spec.names }
    case 'u64.big':
    case 'i64.big':
      return { name, offset, kind: spec.kind.slice(0, 3) }
    default:
      return { name, offset, kind: spec.kind }
  }
}

/** A type as the native side sees it. A plain field is a record of one field, `value`. */
export function typePlan(type: Element): TypePlan {
  const { name, fields } = codecOf(type)
  const key = typeKey(type)
  if (fields.length === 0) return { key, name, fields: [fieldOf('value', 0, type as unknown as FieldSpec)] }
  return { key, name, fields: fields.map(({ name, offset, spec }) => fieldOf(name, offset, spec)) }
}
