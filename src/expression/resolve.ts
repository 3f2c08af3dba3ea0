import { refuse, words } from '../errors/check.js'
import type { BookValue, ParamUse } from '../pipeline/plan.js'
import type { Node } from './expression.js'

/** What the expressions of one step use, by the places that their leaves name. */
interface Uses {
  readonly params: ParamUse[]
  readonly books: BookValue[]
}

/** How deep the native side reads. */
const DEEPEST = 60

function placeOf<V>(all: V[], value: V): number {
  const text = JSON.stringify(value)
  const known = all.findIndex((other) => JSON.stringify(other) === text)
  return known >= 0 ? known : all.push(value) - 1
}

function resolve(node: Node, uses: Uses, depth = 0): Node {
  if (depth === DEEPEST)
    refuse(
      'expression',
      `at most ${DEEPEST} calls on one another; and(), or() and in() take many at once`,
      words('more'),
    )
  if (node.op === 'param') {
    const { name, initial } = node as Node & ParamUse
    const other = uses.params.find((known) => known.name === name && known.initial !== initial)
    if (other) refuse('param', `one initial value for ${name}: ${other.initial}`, initial)
    return { op: 'param', index: placeOf(uses.params, { name, initial }) }
  }
  if (node.op === 'book') return { op: 'given', index: placeOf(uses.books, node['value'] as BookValue) }
  const of = node['of']
  return Array.isArray(of) ? { ...node, of: of.map((inner) => resolve(inner as Node, uses, depth + 1)) } : node
}

type Fields = readonly (readonly [name: string, expr: Node])[]

/**
 * A step whose expressions the native side can read: parameters and book values by their places in what the step uses,
 * which it says beside them.
 */
export function resolved<D extends object>(draft: D): D & Uses {
  const uses: Uses = { params: [], books: [] }
  const made = { ...draft } as Record<string, unknown>
  for (const name of ['expr', 'key', 'by']) if (name in made) made[name] = resolve(made[name] as Node, uses)
  if ('fields' in made) made['fields'] = (made['fields'] as Fields).map(([name, expr]) => [name, resolve(expr, uses)])
  return { ...(made as D), ...uses }
}
