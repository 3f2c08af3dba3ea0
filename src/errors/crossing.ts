// Errors between threads: a structured clone keeps of an error its message and stack, and neither its class nor what it says.
import type { VeloxErrorCode, VeloxErrorContexts } from '../../index.js'
import { describe } from './describe.js'
import { VeloxError } from './velox-error.js'

/** Causes of causes beyond this are left out: what is its own cause has no end. */
const MOST_CAUSES = 16
/** Objects in objects beyond this are told in words. */
const MOST_LEVELS = 8

/** Those that say more than `Error`, the narrower first. */
const CLASSES = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError }
/** Told apart from what else an error carries. */
const OWN = ['name', 'message', 'stack', 'cause', 'errors']

/** What was thrown, as it crosses to another thread. */
export type Crossing =
  | { readonly kind: 'value'; readonly value: unknown }
  | {
      readonly kind: 'error'
      readonly of: keyof typeof CLASSES | 'VeloxError' | 'Error'
      readonly name: string
      readonly message: string
      readonly stack: string | undefined
      /** What it carries beside: `code`, `context`, and what else is its own. */
      readonly fields: Readonly<Record<string, unknown>>
      readonly cause?: Crossing
      readonly errors?: readonly Crossing[]
    }

/** What a broken getter throws must not hide the error that it is on. */
function attempt<R>(f: () => R, otherwise: R): R {
  try {
    return f()
  } catch {
    return otherwise
  }
}

function isCloneable(value: unknown): boolean {
  return attempt(() => {
    structuredClone(value)
    return true
  }, false)
}

/** The value, or as much of it as another thread can have: what can't go there is told in words. */
function cloneable(value: unknown, levels: number = MOST_LEVELS): unknown {
  if (isCloneable(value)) return value
  if (levels === 0 || typeof value !== 'object' || value === null) return describe(value)
  if (Array.isArray(value)) return value.map((each) => cloneable(each, levels - 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return describe(value)
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cloneable(each, levels - 1)]))
}

function classOf(error: Error): (Crossing & { kind: 'error' })['of'] {
  if (error instanceof VeloxError) return 'VeloxError'
  const found = Object.entries(CLASSES).find(([, of]) => error instanceof of)
  return found ? (found[0] as keyof typeof CLASSES) : 'Error'
}

/** What was thrown, ready to be sent to another thread, where {@link arrived} makes it what it was. */
export function crossing(thrown: unknown, causes: number = MOST_CAUSES): Crossing {
  if (!(thrown instanceof Error)) {
    if (isCloneable(thrown)) return { kind: 'value', value: thrown }
    return crossing(new Error(textOf(thrown)), 0)
  }
  const text = (field: 'name' | 'message' | 'stack') =>
    attempt(() => (thrown[field] === undefined ? undefined : String(thrown[field])), undefined)
  const inherited = ['code', 'context'].filter((field) => field in thrown)
  const own = new Set([...Object.keys(thrown), ...inherited].filter((field) => !OWN.includes(field)))
  const fields = [...own].map((field) => [field, attempt(() => cloneable(thrown[field as keyof Error]), 'unreadable')])
  const { cause, errors } = attempt(
    () => ({ cause: thrown.cause, errors: (thrown as Partial<AggregateError>).errors }),
    { cause: undefined, errors: undefined },
  )
  const isMore = causes > 0
  return {
    kind: 'error',
    of: classOf(thrown),
    name: text('name') ?? 'Error',
    message: text('message') ?? '',
    stack: text('stack'),
    fields: Object.fromEntries(fields) as Record<string, unknown>,
    ...(isMore && cause !== undefined && { cause: crossing(cause, causes - 1) }),
    ...(isMore && Array.isArray(errors) && { errors: errors.map((each) => crossing(each, causes - 1)) }),
  }
}

/** What was thrown in another thread: an instance of the class that it was of, where that is one of all threads. */
export function arrived(crossed: Crossing): unknown {
  if (crossed.kind === 'value') return crossed.value
  const { name, message, stack, fields } = crossed
  const options = crossed.cause === undefined ? undefined : { cause: arrived(crossed.cause) }
  const error = made(crossed, options)
  const hidden = (field: string, value: unknown) =>
    Object.defineProperty(error, field, { value, writable: true, configurable: true, enumerable: false })
  if (error.message !== message) hidden('message', message)
  if (error.name !== name) hidden('name', name)
  if (stack !== undefined) hidden('stack', stack)
  for (const [field, value] of Object.entries(fields))
    Object.defineProperty(error, field, { value, writable: true, configurable: true, enumerable: true })
  return error
}

function made({ of, message, fields, errors }: Crossing & { kind: 'error' }, options: ErrorOptions | undefined): Error {
  if (of === 'VeloxError') {
    const { code, context } = fields as { code: VeloxErrorCode; context: VeloxErrorContexts[VeloxErrorCode] }
    // Another copy of the package may say less in its context than the sentence of this one needs.
    return attempt<Error>(() => new VeloxError(code, context, options), new Error(message, options))
  }
  if (of === 'AggregateError') return new AggregateError((errors ?? []).map(arrived), message, options)
  return of === 'Error' ? new Error(message, options) : new CLASSES[of](message, options)
}

/** What an error says, for the native side. */
export function textOf(error: unknown): string {
  return attempt(() => (error instanceof Error ? error.message : String(error)), describe(error))
}
