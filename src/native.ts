import { createRequire } from 'node:module'
import type { VeloxErrorCode, VeloxErrorContexts } from '../index.js'
import { words } from './errors/describe.js'
import { VeloxError } from './errors/velox-error.js'
import { nativeMissing, nativeOfAnotherVersion, nativeOfBundle } from './native-missing.js'
import type { Native } from './native-types.js'
import { warnOfOldNode } from './old-node.js'
import { DIST } from './place.js'
import { IS_PACKAGED, VERSION } from './version.js'

/** The addon of this version, or VELOX_NATIVE_MISSING with all that was tried. */
function load(): Native {
  // Webpack puts undefined in its place.
  const requireOf = createRequire(DIST) as NodeJS.Require | undefined
  if (!IS_PACKAGED || requireOf === undefined) throw nativeOfBundle()
  let addon: Partial<Native>
  try {
    addon = requireOf('../native/binding.cjs') as Native
  } catch (cause) {
    throw nativeMissing(cause)
  }
  // The loader believes whatever lies in node_modules.
  const version = addon.version?.()
  if (version !== VERSION) throw nativeOfAnotherVersion(version)
  return addon as Native
}

warnOfOldNode()
export const native: Native = load()

/** A native error as a VeloxError: its code, and its context as the JSON in its message. Anything else stays. */
export function asVeloxError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof VeloxError) return error
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string' || !code.startsWith('VELOX_')) return error
  return nativeError(code as VeloxErrorCode, JSON.parse(error.message))
}

/** The error of a native code and context, in which what came is told in words. */
export function nativeError(code: VeloxErrorCode, context: VeloxErrorContexts[VeloxErrorCode]): Error {
  const { got } = context as { got?: unknown }
  const told = typeof got === 'string' && got !== '' ? Object.assign(context, { got: words(got) }) : context
  return new VeloxError(code, told)
}

/** Calls into the addon; what it throws becomes a VeloxError. */
export function call<R>(f: () => R): R {
  try {
    return f()
  } catch (error) {
    throw asVeloxError(error)
  }
}

const released = new FinalizationRegistry<number>((slot) => native.release(slot))

/** Gives a native object's slot back when its owner is collected. */
export function owned(owner: object, slot: number): number {
  released.register(owner, slot)
  return slot
}
