import type { Venue } from '../../feed.js'
import { refuse } from '../errors/check.js'
import { native } from '../native.js'

/** A venue, and where it is unless told otherwise. */
export interface VenueInfo {
  readonly verifiedBy: 'capture' | 'documentation'
  readonly checks: 'sequence' | 'checksum' | 'both' | 'none'
  readonly url: string
  readonly restUrl: string
}

function frozen<V extends object>(value: V): Readonly<V> {
  for (const inner of Object.values(value)) Object.freeze(inner)
  return Object.freeze(value)
}

export const venues = frozen(JSON.parse(native.feedVenues()) as Record<Venue, VenueInfo>)

export function checkVenue(venue: Venue): Venue {
  if (typeof venue === 'string' && Object.hasOwn(venues, venue)) return venue
  return refuse('venue', `one of ${Object.keys(venues).join(', ')}`, venue)
}
