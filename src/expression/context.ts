import type { BookExpr, Context, NumExpr } from '../../index.js'
import { checkInteger, refuse, words } from '../errors/check.js'
import { nearest } from '../errors/nearest.js'
import type { BookValue } from '../pipeline/plan.js'
import { NumExpression } from './expression.js'
import { refuseUnknown, refuseUnknownOf } from './unknown.js'

/** A book that stands before a step: its step's name and its node. */
export interface KnownBook {
  readonly name: string
  readonly node: number
}

class Book implements BookExpr {
  readonly #node: number

  constructor(node: number) {
    this.#node = node
  }

  #value(value: BookValue['value'], levels?: number): NumExpr {
    return new NumExpression({
      op: 'book',
      value: { node: this.#node, value, ...(levels !== undefined && { levels }) },
    })
  }

  get mid(): NumExpr {
    return this.#value('mid')
  }

  get spread(): NumExpr {
    return this.#value('spread')
  }

  get bid(): NumExpr {
    return this.#value('bid')
  }

  get ask(): NumExpr {
    return this.#value('ask')
  }

  /** A getter, so that it can be taken out of its book: `({ qty }, { book: { imbalance } }) => …`. */
  get imbalance(): (levels: number) => NumExpr {
    return (levels) => this.#value('imbalance', checkInteger('levels', levels, 1, 1_000_000))
  }
}

refuseUnknownOf(Book, 'book')

/**
 * What an expression sees beside its record: the books before it, the nearest last. `beyond`: those that it can't see for
 * a merge between.
 */
export function contextOf(books: readonly KnownBook[], beyond: readonly string[]): Context {
  const wanted =
    beyond.length === 0
      ? 'a book step before this one'
      : `a book step before this one, behind the merge that ${beyond.join(', ')} stands before`
  const named = new Map(books.map(({ name, node }) => [name, new Book(node)]))
  const context = {
    get book() {
      const last = books.at(-1)
      return last ? new Book(last.node) : refuse('book', wanted, words('none'))
    },
    books: new Proxy(Object.create(null) as Record<string, BookExpr>, {
      get(_, name) {
        if (typeof name === 'symbol') return undefined
        const known = [...named.keys()]
        const meant = nearest(name, known)
        const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
        const expected = known.length === 0 ? wanted : `one of ${known.join(', ')}${hint}`
        return named.get(name) ?? refuse('books', expected, name)
      },
    }),
  }
  refuseUnknown(context, 'context', ['book', 'books'])
  return context
}
