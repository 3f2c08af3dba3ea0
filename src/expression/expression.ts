import type * as Face from '../../index.js'
import { checkInteger, checkList, checkOptions, refuse, words } from '../errors/check.js'
import { Param } from './param.js'
import { refuseUnknownOf } from './unknown.js'

/** An expression as the native side plans it; the tree is documented in `crates/velox-expr`. */
export type Node = { readonly op: string; readonly [of: string]: unknown }

type Num = Face.Num

/** The most keys that any step remembers. */
export const MOST_KEYS = 2 ** 20

/** Conditions made by the callback that runs, and not part of another one yet. */
let loose: Set<Condition> | undefined

/**
 * Runs a callback that makes expressions, and makes sure that every condition is part of what it gives: `a && b`
 * compiles, and drops `a`.
 */
export function gathered<M extends { readonly roots: readonly unknown[] }>(step: string, make: () => M): M {
  const before = loose
  loose = new Set()
  try {
    const made = make()
    for (const root of made.roots) if (root instanceof Condition) loose.delete(root)
    if (loose.size > 0)
      refuse(
        step,
        'conditions joined by and(), or(), not()',
        words(`${loose.size} that lead nowhere (&& and || drop one)`),
      )
    return made
  } finally {
    loose = before
  }
}

const CONDITION = 'a condition, such as t.price.gt(5)'

/** What a callback gives: one with braces and no `return` gives nothing, which `&&` has no part in. */
function returned(step: string, expected: string, made: unknown): unknown {
  return made === undefined ? refuse(step, expected, words('undefined: the function returns nothing')) : made
}

/** The condition that a callback makes. */
export function conditionOf(step: string, make: () => unknown): Node {
  const { roots } = gathered(step, () => ({ roots: [returned(step, CONDITION, make())] }))
  const [made] = roots
  return made instanceof Condition ? made.node : refuse(step, CONDITION, made)
}

/** The number or the name that a callback makes. */
export function keyOf(step: string, make: () => unknown): Node {
  const { roots } = gathered(step, () => ({ roots: [make()] }))
  return keyNode(step, 'a field or an expression, such as t.receiveTs', roots[0])
}

/** What records can be told apart by. */
function keyNode(field: string, expected: string, key: unknown): Node {
  if (key instanceof Condition) return condition(key)
  return key instanceof NumExpression || key instanceof EnumExpression ? key.node : refuse(field, expected, key)
}

function noValue(): never {
  return refuse(
    'expression',
    'methods such as add() and gt()',
    words('an operator: what it is worth is known when the pipeline runs'),
  )
}

export class Condition implements Face.BoolExpr {
  readonly node: Node

  /** `isColumn`: it is there anyway, used or not. */
  constructor(node: Node, isColumn = false) {
    this.node = node
    if (!isColumn) loose?.add(this)
  }

  and(...o: Face.BoolExpr[]): Face.BoolExpr {
    return new Condition({ op: 'and', of: [this, ...o].map(condition) })
  }

  or(...o: Face.BoolExpr[]): Face.BoolExpr {
    return new Condition({ op: 'or', of: [this, ...o].map(condition) })
  }

  not(): Face.BoolExpr {
    return new Condition({ op: 'not', of: [condition(this)] })
  }

  [Symbol.toPrimitive](): never {
    return noValue()
  }
}

function condition(value: unknown): Node {
  if (!(value instanceof Condition)) return refuse('condition', 'a condition, such as t.price.gt(5)', value)
  loose?.delete(value)
  return value.node
}

const FITS_I64 = (value: bigint) => BigInt.asIntN(64, value) === value
const FITS_U64 = (value: bigint) => BigInt.asUintN(64, value) === value

/** Bounds the wrong way round hold nothing; only those that are known already can be told. */
function checkOrder(op: string, a: Num, b: Num): void {
  const known = (value: Num) => typeof value === 'number' || typeof value === 'bigint'
  if (known(a) && known(b) && a > b) refuse(op, 'the lower bound first', words(`${a} before ${b}`))
}

export function number(value: Num): Node {
  if (value instanceof NumExpression) return value.node
  if (value instanceof Param) return { op: 'param', name: value.name, initial: value.initial }
  if (typeof value === 'bigint') {
    if (!FITS_I64(value) && !FITS_U64(value)) refuse('operand', 'a bigint that fits 64 bits', value)
    return { op: FITS_I64(value) ? 'i64' : 'u64', value: String(value) }
  }
  if (typeof value === 'string') return { op: 'decimal', value }
  if (typeof value !== 'number')
    return refuse('operand', 'a column, a number, a bigint, a decimal text or a param', value)
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return { op: 'i64', value }
  return { op: 'f64', value: Number.isFinite(value) ? value : String(value) }
}

export class NumExpression implements Face.NumExpr {
  readonly node: Node

  constructor(node: Node) {
    this.node = node
  }

  #make(op: string, ...of: Num[]): Face.NumExpr {
    return new NumExpression({ op, of: [this.node, ...of.map(number)] })
  }

  #compare(op: string, ...of: Num[]): Face.BoolExpr {
    return new Condition({ op, of: [this.node, ...of.map(number)] })
  }

  add(o: Num): Face.NumExpr {
    return this.#make('add', o)
  }

  sub(o: Num): Face.NumExpr {
    return this.#make('sub', o)
  }

  mul(o: Num): Face.NumExpr {
    return this.#make('mul', o)
  }

  div(o: Num): Face.NumExpr {
    return this.#make('div', o)
  }

  mulDiv(m: Num, d: Num): Face.NumExpr {
    return this.#make('mulDiv', m, d)
  }

  abs(): Face.NumExpr {
    return this.#make('abs')
  }

  neg(): Face.NumExpr {
    return this.#make('neg')
  }

  min(o: Num): Face.NumExpr {
    return this.#make('min', o)
  }

  max(o: Num): Face.NumExpr {
    return this.#make('max', o)
  }

  clamp(a: Num, b: Num): Face.NumExpr {
    checkOrder('clamp', a, b)
    return this.#make('clamp', a, b)
  }

  toF64(): Face.NumExpr {
    return this.#make('toF64')
  }

  eq(o: Num): Face.BoolExpr {
    return this.#compare('eq', o)
  }

  ne(o: Num): Face.BoolExpr {
    return this.#compare('ne', o)
  }

  lt(o: Num): Face.BoolExpr {
    return this.#compare('lt', o)
  }

  le(o: Num): Face.BoolExpr {
    return this.#compare('le', o)
  }

  gt(o: Num): Face.BoolExpr {
    return this.#compare('gt', o)
  }

  ge(o: Num): Face.BoolExpr {
    return this.#compare('ge', o)
  }

  between(a: Num, b: Num): Face.BoolExpr {
    checkOrder('between', a, b)
    return this.#compare('between', a, b)
  }

  in(o: readonly Num[]): Face.BoolExpr {
    const values = Array.from(checkList('in', o))
    return values.length === 0 ? new Condition({ op: 'bool', value: false }) : this.#compare('in', ...values)
  }

  prev(): Face.NumExpr {
    return this.#make('prev')
  }

  over(
    key: Face.NumExpr | Face.EnumExpr<string> | Face.BoolExpr,
    o: { maxKeys: number } = { maxKeys: 1024 },
  ): Face.NumExpr {
    if (this.node.op !== 'prev') refuse('over', 'prev() before over()', words(this.node.op))
    checkOptions(o, ['maxKeys'], 'over')
    const by = keyNode('over', 'a key that is a number, a name or a condition, such as t.instrument', key)
    const maxKeys = checkInteger('maxKeys', o.maxKeys, 1, MOST_KEYS)
    const [of] = this.node['of'] as [Node]
    return new NumExpression({ op: 'over', of: [of, by], maxKeys })
  }

  [Symbol.toPrimitive](): never {
    return noValue()
  }
}

export class EnumExpression<V extends string> implements Face.EnumExpr<V> {
  readonly node: Node
  readonly #names: readonly string[]

  constructor(column: Node, names: readonly string[]) {
    this.node = column
    this.#names = names
  }

  #is(op: string, value: V): Face.BoolExpr {
    if (!this.#names.includes(value)) refuse('name', this.#names.map((name) => `'${name}'`).join(', '), value)
    return new Condition({ op, of: [this.node, { op: 'name', value }] })
  }

  eq(v: V): Face.BoolExpr {
    return this.#is('eq', v)
  }

  ne(v: V): Face.BoolExpr {
    return this.#is('ne', v)
  }

  in(v: readonly V[]): Face.BoolExpr {
    const [first, ...rest] = Array.from(checkList('in', v), (value) => this.eq(value))
    if (!first) return new Condition({ op: 'bool', value: false })
    return rest.length === 0 ? first : first.or(...rest)
  }

  [Symbol.toPrimitive](): never {
    return noValue()
  }
}

export function when(c: Face.BoolExpr, value: Num): { otherwise(v: Num): Face.NumExpr } {
  const of = [condition(c), number(value)]
  return { otherwise: (v) => new NumExpression({ op: 'when', of: [...of, number(v)] }) }
}

refuseUnknownOf(Condition, 'condition')
refuseUnknownOf(NumExpression, 'number')
refuseUnknownOf(EnumExpression, 'name')
