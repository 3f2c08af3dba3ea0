import type { Endpoint } from './net/endpoint.js'
import { accountsOf } from './net/shapes.js'
import { base58Of, type DurableNonce } from './wire.js'

/** A nonce account: version and state (4 bytes each), authority (32), nonce (32), fee (8). */
const ACCOUNT_BYTES = 80
const NONCE = [40, 72] as const
/** So many accounts one call takes. */
const MOST_ACCOUNTS = 100

export interface Moved {
  /** Of the node's answer; no nonce of these was there any more. */
  readonly slot: number
  readonly nonces: ReadonlySet<DurableNonce>
}

/**
 * Which nonces have become others, by one node at a *finalized* slot that is no older than `slot`. An account that isn't there proves
 * nothing: a node that knows too little says the same.
 */
export async function movedBy(
  endpoint: Endpoint,
  slot: number,
  asked: readonly DurableNonce[],
): Promise<readonly Moved[]> {
  const moved: Moved[] = []
  for (let at = 0; at < asked.length; at += MOST_ACCOUNTS) {
    const part = asked.slice(at, at + MOST_ACCOUNTS)
    const params = [part.map(({ account }) => account), { encoding: 'base64', commitment: 'finalized' }]
    const o = { priority: 'status', read: accountsOf(part.length) } as const
    const answer = await endpoint.call('getMultipleAccounts', params, o)
    if (!answer.ok || answer.result.slot < slot) continue
    const { data } = answer.result
    const nonces = part.filter(({ value }, i) => {
      const bytes = data[i]
      return bytes?.length === ACCOUNT_BYTES && base58Of(bytes.subarray(...NONCE)) !== value
    })
    moved.push({ slot: answer.result.slot, nonces: new Set(nonces) })
  }
  return moved
}
