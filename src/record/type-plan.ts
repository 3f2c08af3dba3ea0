import type { Element } from '../../index.js'
import type { FieldPlan, TypePlan } from '../pipeline/plan.js'
import { codecOf } from './codec.js'
import { type FieldSpec, isRecord, type RecordSpec } from './fields.js'
import { elementSize, layOut } from './layout.js'
import { typeKey } from './type-key.js'

/** A field, or those that it is made of: files and the native side know plain ones alone. */
function fieldsOf(name: string, offset: number, spec: FieldSpec): FieldPlan[] {
  if (spec.kind === 'bytes') return elements(name, offset, { kind: 'u8' }, spec.length)
  if (spec.kind === 'array') return elements(name, offset, spec.of, spec.length)
  return [fieldOf(name, offset, spec)]
}

function elements(name: string, offset: number, of: FieldSpec | RecordSpec, length: number): FieldPlan[] {
  const [stride] = elementSize(name, of)
  return Array.from({ length }, (_, i) => {
    const at = offset + i * stride
    if (!isRecord(of)) return fieldsOf(`${name}.${i}`, at, of)
    return layOut(of.fields).places.flatMap((place) =>
      fieldsOf(`${name}.${i}.${place.name}`, at + place.offset, place.spec),
    )
  }).flat()
}

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
  if (fields.length === 0) return { key, name, fields: fieldsOf('value', 0, type as unknown as FieldSpec) }
  return { key, name, fields: fields.flatMap(({ name, offset, spec }) => fieldsOf(name, offset, spec)) }
}
