import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { RpcEndpoint } from '../../solana.js'
import { checkInteger, checkOptions, checkPositive, kindOf, refuse, words } from '../errors/check.js'
import { LONGEST_MILLIS } from './checks.js'
import type { EndpointOptions } from './net/endpoint.js'

const OPTIONS = ['url', 'ws', 'perSecond', 'burst', 'timeoutMillis', 'headers']

export interface RpcPlan {
  readonly endpoints: readonly EndpointOptions[]
  readonly sockets: readonly string[]
}

/** An address of one of some protocols. One that is wrong isn't shown: it may hold a key. */
export function checkUrl(field: string, url: string, protocols: readonly string[]): string {
  const expected = `an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`
  if (typeof url !== 'string') return refuse(field, expected, kindOf(url))
  if (!URL.canParse(url)) return refuse(field, expected, words('a text that is no address'))
  const { protocol, username, password } = new URL(url)
  // What sends refuses them too, and shows them.
  if (username !== '' || password !== '')
    refuse(field, 'an address without a password; `headers` takes one', words('one with it'))
  return protocols.includes(protocol) ? url : refuse(field, expected, words(`one that begins with ${protocol}`))
}

/** Headers that can be sent. What is wrong with one isn't shown: it may be a key. */
export function checkHeaders(
  field: string,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (typeof headers !== 'object' || headers === null) return refuse(field, 'an object of texts', kindOf(headers))
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
      if (typeof value === 'string') continue
    } catch {
      // What it says shows the value.
    }
    refuse(field, 'names and values of HTTP headers', words('another'))
  }
  return headers
}

export function rpcOf(given: string | RpcEndpoint | readonly (string | RpcEndpoint)[]): RpcPlan {
  const list = Array.isArray(given) ? (given as readonly (string | RpcEndpoint)[]) : [given as string | RpcEndpoint]
  if (list.length === 0) refuse('rpc', 'at least one address', list)
  const plans = list.map((one): { endpoint: EndpointOptions; socket: string | undefined } => {
    const o: RpcEndpoint = typeof one === 'string' ? { url: one } : one
    checkOptions(o, OPTIONS, 'rpc')
    const { perSecond = 10, timeoutMillis = 5_000, headers } = o
    const endpoint = {
      url: checkUrl('rpc.url', o.url, ['http:', 'https:']),
      perSecond: checkPositive('rpc.perSecond', perSecond),
      burst: checkInteger('rpc.burst', o.burst ?? Math.max(1, Math.floor(perSecond)), 1),
      timeoutMillis: checkInteger('rpc.timeoutMillis', timeoutMillis, 1, LONGEST_MILLIS),
      ...(headers !== undefined && { headers: checkHeaders('rpc.headers', headers) }),
    }
    return { endpoint, socket: o.ws === undefined ? undefined : checkUrl('rpc.ws', o.ws, ['ws:', 'wss:']) }
  })
  const sockets = plans.map(({ socket }) => socket).filter((socket) => socket !== undefined)
  return { endpoints: plans.map(({ endpoint }) => endpoint), sockets }
}
