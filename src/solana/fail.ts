import type { VeloxErrorCode, VeloxErrorContexts, VeloxError as VeloxErrorFace } from '../../index.js'
import { words } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'

/** An error as outcomes carry it. */
export function fail<C extends VeloxErrorCode>(
  code: C,
  context: VeloxErrorContexts[C],
  o?: ErrorOptions,
): VeloxErrorFace {
  return new VeloxError(code, context, o) as VeloxErrorFace
}

/** What a builder throws may be anything. */
export function asFailure(stage: string, thrown: unknown): VeloxErrorFace {
  return thrown instanceof VeloxError
    ? (thrown as VeloxErrorFace)
    : fail('VELOX_STAGE_FAILED', { stage }, { cause: thrown })
}

/** The network takes a transaction once. */
export function twin(): VeloxErrorFace {
  const expected = 'records that make a transaction of their own, as by an id'
  const got = words('some that make the same bytes as others before them')
  return fail('VELOX_INVALID_VALUE', { field: 'records', expected, got })
}
