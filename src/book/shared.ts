import type { SharedBook } from '../../index.js'
import { refuse } from '../errors/check.js'
import { call, native } from '../native.js'
import { Instrument } from '../record/instrument.js'

/** What `share()` gives, at run time: plain data, as it crosses to another thread. */
interface Shared {
  readonly token: number
  readonly tickShift: number
  readonly instrument?: { readonly id: number }
}

export function shareOf(slot: number, o: { instrument: Instrument | undefined; tickShift?: number }): SharedBook {
  const { instrument, tickShift = 0 } = o
  const shared: Shared = {
    token: native.bookShare(slot),
    tickShift,
    ...(instrument && { instrument: { ...instrument } }),
  }
  return shared as unknown as SharedBook
}

/** The book of `share()` in a slot of this thread. */
export function attached(
  shared: SharedBook,
  oneWriter: boolean,
): { slot: number; instrument: Instrument | undefined; tickShift: number } {
  const { token, tickShift, instrument } = Object(shared) as Partial<Shared>
  if (!Number.isInteger(token) || !Number.isInteger(tickShift))
    return refuse('shared', 'what share() of a book gave', shared)
  const found = call(() => native.bookAttach(token as number, oneWriter))
  const id = found.instrument || instrument?.id
  return { slot: found.slot, instrument: id ? Instrument.of(id) : undefined, tickShift: tickShift as number }
}
