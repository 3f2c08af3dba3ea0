import type { VeloxError as Face, VeloxErrorCode, VeloxErrorContexts } from '../../index.js'
import { MESSAGES } from './codes.js'
import { describe, Words } from './describe.js'

/** A context without the marks that only its sentence needs. */
function plain<C extends object>(context: C): C {
  const { got } = context as { got?: unknown }
  return got instanceof Words ? { ...context, got: got.text } : context
}

// Named as it is shown: Node prints an error by its class, and the first line of its stack by the name of the prototype.
const Class = class VeloxError<C extends VeloxErrorCode> extends Error {
  static {
    Object.defineProperty(VeloxError.prototype, 'name', { value: 'VeloxError', configurable: true, writable: true })
  }

  readonly code: C
  readonly context: Readonly<VeloxErrorContexts[C]>

  constructor(code: C, context: VeloxErrorContexts[C], o?: ErrorOptions) {
    if (!Object.hasOwn(MESSAGES, code)) throw new TypeError(`expected a code of VeloxError, got ${describe(code)}`)
    const message = MESSAGES[code](context)
    // What a stage failed of belongs into the one line that most people see.
    super(code === 'VELOX_STAGE_FAILED' && o?.cause instanceof Error ? `${message}: ${o.cause.message}` : message, o)
    this.name = 'VeloxError'
    this.code = code
    this.context = plain(context)
  }

  /** By code, not by class: an error may come from a worker or from another copy of the package. */
  static override [Symbol.hasInstance](e: unknown): boolean {
    if (typeof e !== 'object' || e === null) return false
    const { code, context } = e as { code?: unknown; context?: unknown }
    return typeof code === 'string' && Object.hasOwn(MESSAGES, code) && typeof context === 'object' && context !== null
  }
}

export const VeloxError = Class as unknown as typeof Face
