import { invalidParams } from '../../json-rpc.js'
import { asOf, type Method } from '../context.js'
import { config, signature } from '../params.js'
import type { View } from '../view.js'

const SIGNATURES_MOST = 256

/** Slots that a node remembers statuses of; older ones need `searchTransactionHistory`. */
const STATUS_CACHE_SLOTS = 150

function status(view: View, name: string, searchesHistory: boolean): unknown {
  const landed = view.landed(name)
  const { slot, height } = view.head
  if (!landed || (!searchesHistory && landed.slot <= slot - STATUS_CACHE_SLOTS)) return null
  const confirmationStatus = view.commitmentOf(landed.slot)
  return {
    slot: landed.slot,
    confirmations: confirmationStatus === 'finalized' ? null : height - landed.height,
    err: landed.err,
    status: landed.err === null ? { Ok: null } : { Err: landed.err },
    confirmationStatus,
  }
}

export const getSignatureStatuses: Method = (params, { view }) => {
  const [names] = params
  if (!Array.isArray(names)) throw invalidParams('Invalid params: expected a sequence of signatures.')
  if (names.length > SIGNATURES_MOST) throw invalidParams(`Too many inputs provided; max ${SIGNATURES_MOST}`)
  const searches = config(params, 1)['searchTransactionHistory'] === true
  return asOf(
    view.head.slot,
    names.map((name) => status(view, signature(name), searches)),
  )
}
