import type { Instrument as InstrumentFace } from '../../index.js'
import { checkString, refuse, words } from '../errors/check.js'
import { Instrument } from '../record/instrument.js'

/** Symbols and instruments as the native side takes them: a text, or an instrument's id. */
export function marketsOf(venue: string, symbols: readonly (string | InstrumentFace)[]): (string | number)[] {
  if (!Array.isArray(symbols)) refuse('symbols', 'an array of symbols or Instruments', symbols)
  return symbols.map((of) => {
    if (!(of instanceof Instrument)) return checkString('symbols', of)
    if (of.venue !== '' && of.venue !== venue)
      refuse('symbols', `Instruments of ${venue}`, words(`${of.symbol} of ${of.venue}`))
    return of.id
  })
}
