const MOST = 60

/** What is said about a value, where it is not the value itself: a sentence shows it as it is. */
export class Words {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

export const words = (text: string): Words => new Words(text)

/** What kind of value it is, and nothing of it: somebody may have passed a secret. */
export const kindOf = (value: unknown): Words => words(typeof value === 'string' ? 'a text' : describe(value))

/** A value as a sentence shows it. */
export function describe(value: unknown): string {
  if (value instanceof Words) return value.text
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > MOST ? `${value.slice(0, MOST - 1)}…` : value)
    case 'bigint':
      return `${value}n`
    case 'function':
      return `a function${value.name && ` ${value.name}`}`
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length}`
      return `an object${value.constructor?.name ? ` ${value.constructor.name}` : ''}`
    default:
      return String(value)
  }
}
