import { TIP_ACCOUNTS } from '../addresses.js'
import { type Call, invalidParams, type Reply, RpcError } from '../json-rpc.js'
import { asOf } from '../rpc/context.js'
import { config } from '../rpc/params.js'
import { decodeTransaction } from '../rpc/wire.js'
import { bundleId, decodeBundle } from './bundle.js'
import type { BlockEngine } from './engine.js'

const IDS_MOST = 5

/** What the methods of a region have to work with. */
export interface RegionContext {
  readonly engine: BlockEngine
  readonly slot: number
  /** `?bundleOnly=true`. */
  readonly bundleOnly: boolean
  /** Whether the next bundle is to get lost. */
  isDropped(): boolean
}

type Method = (params: readonly unknown[], region: RegionContext) => Reply

function ids([value]: readonly unknown[]): readonly string[] {
  if (!Array.isArray(value) || value.some((id) => typeof id !== 'string'))
    throw invalidParams('Invalid params: expected a sequence of bundle ids.')
  if (value.length > IDS_MOST) throw invalidParams(`Too many inputs provided; max ${IDS_MOST}`)
  return value as string[]
}

const sendBundle: Method = (params, { engine, isDropped }) => {
  const { encoding = 'base58' } = config(params, 1)
  return { result: engine.submit(decodeBundle(params[0], encoding), isDropped) }
}

/** Preflight is always skipped; alone in a bundle a transaction lands well or not at all. */
const sendTransaction: Method = (params, { engine, bundleOnly, isDropped }) => {
  const { encoding = 'base58' } = config(params, 1)
  if (bundleOnly) {
    const bundle = decodeBundle([params[0]], encoding)
    const id = engine.submit(bundle, isDropped)
    return { result: bundle.transactions[0]?.signature, headers: { 'x-bundle-id': id } }
  }
  const transaction = decodeTransaction(String(params[0]), encoding)
  engine.forward(transaction)
  return { result: transaction.signature, headers: { 'x-bundle-id': bundleId([transaction]) } }
}

const methods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['getTipAccounts', () => ({ result: TIP_ACCOUNTS })],
  ['sendBundle', sendBundle],
  ['sendTransaction', sendTransaction],
  [
    'getBundleStatuses',
    (params, { engine, slot }) => ({
      result: asOf(
        slot,
        ids(params).map((id) => engine.status(id)),
      ),
    }),
  ],
  [
    'getInflightBundleStatuses',
    (params, { engine, slot }) => ({
      result: asOf(
        slot,
        ids(params).map((id) => engine.inflight(id)),
      ),
    }),
  ],
])

/** Answers a call that came to `path`. */
export function callRegion({ method, params }: Call, path: string, region: RegionContext): Reply {
  const [, place] = /^\/api\/v1\/(\w+)$/.exec(path) ?? []
  const isThere =
    place === method ||
    (place === 'bundles' && method !== 'sendTransaction') ||
    (place === 'transactions' && method === 'sendTransaction')
  const answer = methods.get(method)
  if (!answer || !isThere) throw new RpcError(-32601, 'Method not found', { status: 404 })
  return answer(params, region)
}
