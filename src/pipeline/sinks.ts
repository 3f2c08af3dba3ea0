import type { Element, Infer, Sink } from '../../index.js'
import { checkName, refuse } from '../errors/check.js'
import { pathOf } from './path.js'

/** A sink that counts what arrives and lets it go. */
export class CountSink implements Sink<Element> {
  // A sink of everything says so by no type of its own.
  declare readonly accepts: Element
  readonly name: string

  constructor(name: string) {
    this.name = checkName('name', name)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a sink that takes every type
export const count = (name = 'count'): Sink<any> => new CountSink(name)
// biome-ignore lint/suspicious/noExplicitAny: a sink that takes every type
export const discard = (): Sink<any> => new CountSink('discard')

/** A sink into a file. */
export class FileSink implements Sink<Element> {
  declare readonly accepts: Element
  readonly path: string
  readonly format: 'csv' | 'velox'

  constructor(path: string | URL) {
    this.path = pathOf(path)
    const [, end] = /\.(csv|velox)$/.exec(this.path) ?? []
    if (end !== 'csv' && end !== 'velox') refuse('path', "a name that ends in '.csv' or '.velox'", this.path)
    this.format = end as 'csv' | 'velox'
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a sink that takes every type
export const toFile = (path: string | URL): Sink<any> => new FileSink(path)

/** A sink on this thread: it takes records as the event loop gets to them, and holds up those behind while it is at work. */
export abstract class TakingSink<T extends Element> implements Sink<T> {
  declare readonly accepts: T
  abstract readonly name: string
  abstract readonly type: T
  /** What it throws fails the run. */
  abstract take(records: readonly Infer<T>[]): Promise<void>
}
