import type { Element, Sink } from '../../index.js'
import { checkName } from '../errors/check.js'

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
