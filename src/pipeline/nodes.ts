import type { KnownBook } from '../expression/context.js'
import type { At, Declared } from './plan.js'

/** Steps that pass on some records and not others, whatever is in them. */
const LOSSY = ['sampleEvery', 'rateLimit', 'conflate']

type Without<D, K extends string> = D extends unknown ? Omit<D, K> : never

/** A node before it has its place. */
export type Draft = Without<Declared, 'from'> & { readonly from?: readonly At[] }

/** The nodes of a pipeline and the objects that their slots belong to. Never changed: each step makes a new one. */
export class Nodes {
  readonly name: string
  readonly all: readonly Declared[]
  readonly objects: readonly object[]

  constructor(name: string, all: readonly Declared[] = [], objects: readonly object[] = []) {
    this.name = name
    this.all = all
    this.objects = objects
  }

  get length(): number {
    return this.all.length
  }

  get last(): Declared {
    return this.all.at(-1) as Declared
  }

  /** Adds a node. Workers and books are found by name, so a name that is taken gets a number. */
  add(draft: Draft & { readonly from: readonly At[] }, ...objects: object[]): Nodes {
    const node = { ...draft, name: this.#free(draft.name) } as Declared
    return new Nodes(this.name, [...this.all, node], [...this.objects, ...objects])
  }

  /** Adds all nodes of another pipeline, behind those that are there. */
  append(others: Nodes): Nodes {
    const by = this.length
    return others.all.reduce(
      (nodes: Nodes, node) =>
        nodes.add({
          ...node,
          from: node.from.map(([at, output]): At => [at + by, output]),
          ...(node.books && { books: node.books.map((book) => ({ ...book, node: book.node + by })) }),
        }),
      new Nodes(this.name, this.all, [...this.objects, ...others.objects]),
    )
  }

  /** Whether these are the other's nodes and more behind them. */
  startsWith(other: Nodes): boolean {
    return other.all.every((node, at) => this.all[at] === node)
  }

  /** The nodes that records pass before they leave at this point, the nearest first; of a merge, along its first input. */
  *#before(at: At): Generator<[Declared, number]> {
    for (let from: At | undefined = at; from; from = this.all[from[0]]?.from[0]) {
      yield [this.all[from[0]] as Declared, from[0]]
    }
  }

  /** The books before this point whose instant its records still meet: none from beyond a merge. */
  booksBefore(at: At): KnownBook[] {
    const books: KnownBook[] = []
    for (const [node, place] of this.#before(at)) {
      if (node.kind === 'merge') break
      if (node.kind === 'book') books.unshift({ name: node.name, node: place })
    }
    return books
  }

  /** The names of the other books whose records come here. */
  booksBeyond(at: At, seen: readonly KnownBook[]): string[] {
    const { kind, name, from } = this.all[at[0]] as Declared
    const own = kind === 'book' && !seen.some(({ node }) => node === at[0]) ? [name] : []
    return [...own, ...from.flatMap((before) => this.booksBeyond(before, seen))]
  }

  /** What may lose records before this point: an edge that drops, or a step that leaves out what others would need. */
  losesBefore(at: At): string | undefined {
    const node = this.all[at[0]] as Declared
    if (node.whenFull === 'drop') return `'drop' at ${node.name}`
    if (LOSSY.includes(node.kind) || (node.kind === 'merge' && node.late === 'drop'))
      return `${node.name}, which leaves some out`
    for (const from of node.from) {
      const loses = this.losesBefore(from)
      if (loses !== undefined) return loses
    }
    return undefined
  }

  #free(name: string): string {
    const taken = this.all.map((node) => node.name)
    for (let n = 2, free = name; ; n++) {
      if (!taken.includes(free)) return free
      free = `${name}-${n}`
    }
  }
}
