import type { live as Face } from '../../feed.js'
import { checkOptions, checkSignal, checkString, refuse } from '../errors/check.js'
import { call, native } from '../native.js'
import { pathOf } from '../pipeline/path.js'
import type { SourcePlan } from '../pipeline/plan.js'
import { MarketSource } from '../pipeline/sources.js'
import { Instrument } from '../record/instrument.js'
import { marketsOf } from './markets.js'
import { checkVenue } from './venues.js'

const OPTIONS = ['venue', 'symbols', 'instruments', 'url', 'restUrl', 'record', 'signal']

export const live: typeof Face = (o) => {
  checkOptions(o, OPTIONS, 'live')
  const venue = checkVenue(o.venue)
  const { instruments = [], url, restUrl, record, signal } = o
  checkSignal('signal', signal)
  if (!Array.isArray(o.symbols)) refuse('symbols', 'an array of symbols', o.symbols)
  if (!Array.isArray(instruments)) refuse('instruments', 'an array of Instruments', instruments)
  for (const given of instruments) if (!(given instanceof Instrument)) refuse('instruments', 'Instruments', given)
  marketsOf(venue, instruments)
  const plan: SourcePlan = {
    kind: 'live',
    venue,
    markets: marketsOf(
      venue,
      o.symbols.map((symbol) => instruments.find((i) => i.symbol === symbol) ?? symbol),
    ),
    ...(url !== undefined && { url: checkString('url', url) }),
    ...(restUrl !== undefined && { restUrl: checkString('restUrl', restUrl) }),
    ...(record !== undefined && { record: pathOf(record) }),
  }
  const known = () => call(() => native.liveInstruments(JSON.stringify(plan))).map((id) => Instrument.of(id))
  return new MarketSource(plan, known, signal)
}
