import { parseArgs } from 'node:util'
import { checkInteger, refuse, words } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'

export type Specs = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>>

type Values<S extends Specs> = { readonly [N in keyof S]?: S[N]['type'] extends 'string' ? string : boolean }

/** Of what had to be there and isn't. */
export const NONE: unknown = words('none')

const asGiven = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`)

/**
 * The options that were given, by their names, and the words beside them.
 *
 * @throws VeloxError for an option that there isn't, with the nearest known one, and for one with a value where it has none.
 */
export function valuesOf<S extends Specs>(
  args: readonly string[],
  options: S,
): { values: Values<S>; positionals: string[] } {
  // Not strict: an unknown option is told with the nearest known one.
  const { values, positionals } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true })
  const known = Object.keys(options).map((name) => `--${name}`)
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(options, name)) throw new VeloxError('VELOX_UNKNOWN_OPTION', { option: asGiven(name), known })
    const { type } = options[name] as Specs[string]
    if (typeof value === type) continue
    if (type === 'string') refuse(`--${name}`, 'a value', NONE)
    refuse(`--${name}`, 'no value', value)
  }
  return { values: values as Values<S>, positionals }
}

export function whole(field: string, text: string, least: number, most: number): number {
  if (!/^\d+$/.test(text)) refuse(field, `a whole number, ${least} to ${most}`, text)
  return checkInteger(field, Number(text), least, most)
}

export function above0(field: string, text: string, most: number): number {
  const value = Number(text)
  return value > 0 && value <= most ? value : refuse(field, `a number above 0, at most ${most}`, text)
}

export function oneOf<const V extends string>(field: string, known: readonly V[], text: string): V {
  return known.find((one) => one === text) ?? refuse(field, `one of ${known.join(', ')}`, text)
}

/** The one word that a command takes. */
export function oneWord(command: string, what: string, words: readonly string[]): string {
  const [word, ...more] = words
  if (word === undefined || more.length > 0) return refuse(command, what, more[0] ?? NONE)
  return word
}
