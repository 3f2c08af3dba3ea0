import { refuse } from '../errors/check.js'
import { nearest } from '../errors/nearest.js'

/** What a runtime asks of any object: it must find that it isn't there. */
const ASKED = new Set(['then', 'toJSON'])

/**
 * Makes a name that an object hasn't an error that says which there are. A condition that was misspelt would otherwise be told
 * as a value that is no function.
 */
export function refuseUnknown(prototype: object, field: string, known: readonly string[]): void {
  const names = known.filter((name) => name !== 'constructor')
  const beyond = new Proxy(Object.prototype, {
    get(target, name, receiver) {
      if (typeof name === 'symbol' || ASKED.has(name) || name in target) return Reflect.get(target, name, receiver)
      const meant = nearest(name, names)
      return refuse(field, `one of ${names.join(', ')}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`, name)
    },
  })
  Object.setPrototypeOf(prototype, beyond)
}

/** The same for what has methods and getters of a class. */
export function refuseUnknownOf(type: { prototype: object }, field: string): void {
  refuseUnknown(type.prototype, field, Object.getOwnPropertyNames(type.prototype))
}
