import type { JitoOptions } from '../../solana.js'
import { checkInteger, checkOptions, checkPositive, kindOf, refuse, words } from '../errors/check.js'
import { LONGEST_MILLIS } from './checks.js'
import type { EndpointOptions } from './net/endpoint.js'
import { checkHeaders, checkUrl } from './rpc-options.js'

const OPTIONS = ['url', 'perSecond', 'burst', 'timeoutMillis', 'auth', 'send']

export interface JitoPlan {
  readonly endpoints: readonly EndpointOptions[]
  readonly send: 'one' | 'all'
}

/** Without slashes at its end. Jito's documentation has the methods' own addresses, which are not what is asked for here. */
function baseOf(url: string): string {
  const { pathname } = new URL(url)
  if (pathname.includes('/api/v1')) refuse('jito.url', 'an address without /api/v1', words('one with it'))
  return url.replace(/\/+$/, '')
}

/** A block engine without an account takes one request a second and region. */
export function jitoOf(given: string | JitoOptions): JitoPlan {
  const o: JitoOptions = typeof given === 'string' ? { url: given } : given
  checkOptions(o, OPTIONS, 'jito')
  const { auth, send = 'one', perSecond = 1, timeoutMillis = 5_000 } = o
  const urls = typeof o.url === 'string' ? [o.url] : o.url
  if (!Array.isArray(urls) || urls.length === 0) refuse('jito.url', 'an address, or a list of them', kindOf(o.url))
  if (send !== 'one' && send !== 'all') refuse('jito.send', "'one' or 'all'", send)
  checkPositive('jito.perSecond', perSecond)
  const burst = checkInteger('jito.burst', o.burst ?? Math.max(1, Math.floor(perSecond)), 1)
  checkInteger('jito.timeoutMillis', timeoutMillis, 1, LONGEST_MILLIS)
  if (auth !== undefined && typeof auth !== 'string') refuse('jito.auth', 'a UUID as a text', kindOf(auth))
  const headers = checkHeaders('jito.auth', auth === undefined ? {} : { 'x-jito-auth': auth })
  const endpoints = urls.map((url: string) => ({
    url: baseOf(checkUrl('jito.url', url, ['http:', 'https:'])),
    perSecond,
    burst,
    timeoutMillis,
    headers,
  }))
  return { endpoints, send }
}
