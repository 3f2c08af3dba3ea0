import type { Bundle, Infer } from '../../index.js'
import type {
  BundleStatus,
  EndpointStats,
  JitoClient as Face,
  InflightStatus,
  JitoClientOptions,
  Row,
  SignedTransaction,
  TransactionBuilder,
} from '../../solana.js'
import { checkList, checkOptions, checkString, refuse, words } from '../errors/check.js'
import { activeTransactions } from '../record/bundle.js'
import type { Signed } from './attempt.js'
import { checkTemplate, checkTip, LEAST_TIP } from './checks.js'
import { type JitoPlan, jitoOf } from './jito-options.js'
import type { Answer } from './net/answer.js'
import type { Priority } from './net/bucket.js'
import { Endpoint } from './net/endpoint.js'
import { Pool } from './net/pool.js'
import { accounts, latestBlockhash, type Read } from './net/shapes.js'
import { rpcOf } from './rpc-options.js'

/** Transactions of one bundle. */
export const MOST_TRANSACTIONS = 5
const MOST_IDS = 5
const BUNDLES = '/api/v1/bundles'
const TRANSACTIONS = '/api/v1/transactions'
const BASE64 = { encoding: 'base64' } as const

interface RawStatus {
  readonly bundle_id: string
  readonly transactions: readonly string[]
  readonly slot: number
  readonly confirmation_status?: BundleStatus['confirmation']
  readonly confirmationStatus?: BundleStatus['confirmation']
  readonly err?: { readonly Ok?: null } | null
}

interface RawInflight {
  readonly bundle_id: string
  readonly status: InflightStatus['status']
  readonly landed_slot: number | null
}

function need<R>(answer: Answer<R>): R {
  if (!answer.ok) throw answer.error
  return answer.result
}

export class JitoClient implements Face {
  readonly #plan: JitoPlan
  readonly #regions: Pool
  /** What makes transactions of a Bundle. */
  readonly #maker: { template: TransactionBuilder; tip: bigint; pool: Pool } | undefined
  #tipAccounts: readonly string[] = []

  constructor(o: string | JitoClientOptions) {
    const { template, rpc, tip = LEAST_TIP, ...jito } = typeof o === 'object' && o !== null ? o : { url: o }
    this.#plan = jitoOf(jito)
    if (template !== undefined || rpc !== undefined) {
      if (rpc === undefined) refuse('rpc', 'an address, beside a template', rpc)
      const pool = new Pool(rpcOf(rpc).endpoints.map((endpoint) => new Endpoint(endpoint)))
      this.#maker = { template: checkTemplate(template as TransactionBuilder), tip: checkTip(tip), pool }
    }
    this.#regions = new Pool(this.#plan.endpoints.map((region) => new Endpoint(region)))
  }

  /** What a submitter sends by: answers instead of throwing. */
  static internals(client: JitoClient) {
    return {
      send: (transactions: readonly Signed[], priority: Priority, isWanted: () => boolean) =>
        client.#send(transactions, priority, isWanted),
      tipAccounts: () => client.#call('getTipAccounts', [], accounts),
    }
  }

  /** The region that takes a request first. */
  get #soonest(): Endpoint {
    return this.#regions.endpoints.reduce((best, region) => (region.waitMillis < best.waitMillis ? region : best))
  }

  #call<R>(method: string, params: readonly unknown[], read?: Read<R>): Promise<Answer<R>> {
    return this.#regions.askInOrder(method, params, { priority: 'status', path: BUNDLES, ...(read && { read }) })
  }

  /** To the regions that are to have it; the best of their answers. */
  async #send(
    transactions: readonly Signed[],
    priority: Priority,
    isWanted: () => boolean = () => true,
  ): Promise<Answer<string>> {
    const params = [transactions.map(({ base64 }) => base64), BASE64]
    const to = (region: Endpoint) => region.call<string>('sendBundle', params, { priority, path: BUNDLES, isWanted })
    if (this.#plan.send === 'one') return to(this.#soonest)
    const answers = await Promise.all(this.#regions.endpoints.map(to))
    const rank = (answer: Answer<string>) =>
      answer.ok ? 0 : ['unknown', 'throttled', 'unsent', 'denied', 'stopped', 'refused'].indexOf(answer.kind) + 1
    return answers.reduce((best, answer) => (rank(answer) < rank(best) ? answer : best))
  }

  async sendBundle(bundle: Infer<typeof Bundle> | readonly SignedTransaction[]): Promise<string> {
    const transactions = await this.#transactionsOf(bundle)
    checkBundle(transactions)
    return need(await this.#send(transactions, 'send'))
  }

  async #transactionsOf(
    bundle: Infer<typeof Bundle> | readonly SignedTransaction[],
  ): Promise<readonly SignedTransaction[]> {
    if (Array.isArray(bundle)) return bundle as readonly SignedTransaction[]
    const { template, tip, pool } =
      this.#maker ?? refuse('bundle', 'signed transactions, or a client with template and rpc', bundle)
    const o = { priority: 'send', read: latestBlockhash } as const
    const latest = need(await pool.ask('getLatestBlockhash', [{ commitment: 'confirmed' }], o))
    if (this.#tipAccounts.length === 0) this.#tipAccounts = await this.getTipAccounts()
    const account = this.#tipAccounts[Math.floor(Math.random() * this.#tipAccounts.length)] as string
    return template.build(activeTransactions(bundle as Infer<typeof Bundle>) as readonly unknown[] as readonly Row[], {
      ...latest,
      computeUnitPrice: 0n,
      tip: { lamports: tip, account },
    })
  }

  async getBundleStatus(bundleId: string): ReturnType<Face['getBundleStatus']> {
    const [inflight] = await this.getInflightBundleStatuses([bundleId])
    if (inflight && inflight.status !== 'Invalid')
      return inflight.status.toLowerCase() as 'pending' | 'landed' | 'failed'
    const [status] = await this.getBundleStatuses([bundleId])
    if (status) return status.error === undefined ? 'landed' : 'failed'
    return inflight ? 'invalid' : 'unknown'
  }

  async getBundleStatuses(bundleIds: readonly string[]): Promise<readonly (BundleStatus | undefined)[]> {
    const answer = await this.#call<{ value: readonly (RawStatus | null)[] } | null>('getBundleStatuses', [
      idsOf(bundleIds),
    ])
    const found = need(answer)?.value ?? []
    return bundleIds.map((bundleId) => {
      const raw = found.find((status) => status?.bundle_id === bundleId)
      if (!raw) return undefined
      const { transactions: signatures, slot, confirmation_status, confirmationStatus, err } = raw
      const confirmation = confirmation_status ?? confirmationStatus ?? 'processed'
      const isFine = err === undefined || err === null || ('Ok' in err && err.Ok === null)
      return { bundleId, signatures, slot: BigInt(slot), confirmation, ...(!isFine && { error: err }) }
    })
  }

  async getInflightBundleStatuses(bundleIds: readonly string[]): Promise<readonly (InflightStatus | undefined)[]> {
    const answer = await this.#call<{ value: readonly (RawInflight | null)[] } | null>('getInflightBundleStatuses', [
      idsOf(bundleIds),
    ])
    const found = need(answer)?.value ?? []
    return bundleIds.map((bundleId) => {
      const raw = found.find((status) => status?.bundle_id === bundleId)
      if (!raw) return undefined
      const { status, landed_slot: slot } = raw
      return { bundleId, status, ...(slot !== null && slot !== undefined && { landedSlot: BigInt(slot) }) }
    })
  }

  async getTipAccounts(): Promise<readonly string[]> {
    return need(await this.#call('getTipAccounts', [], accounts))
  }

  async sendTransaction(
    transaction: SignedTransaction,
    o: { bundleOnly?: boolean } = {},
  ): Promise<{ signature: string; bundleId?: string }> {
    checkOptions(o, ['bundleOnly'], 'sendTransaction')
    const path = o.bundleOnly === true ? `${TRANSACTIONS}?bundleOnly=true` : TRANSACTIONS
    const region = this.#soonest
    const params = [checkString('transaction.base64', transaction?.base64), BASE64]
    const answer = await region.call<string>('sendTransaction', params, { priority: 'send', path })
    const signature = need(answer)
    const bundleId = answer.ok ? answer.header('x-bundle-id') : undefined
    return { signature, ...(bundleId !== undefined && { bundleId }) }
  }

  stats(): readonly EndpointStats[] {
    return this.#regions.endpoints.map((region) => region.stats())
  }

  close(): void {
    this.#regions.close()
    this.#maker?.pool.close()
  }
}

function idsOf(bundleIds: readonly string[]): readonly string[] {
  const { length } = checkList('bundleIds', bundleIds)
  return length >= 1 && length <= MOST_IDS
    ? bundleIds
    : refuse('bundleIds', `1 to ${MOST_IDS} of them`, words(String(length)))
}

/** What the engine would take: 1 to 5 transactions, and a tip that is enough within the last. */
export function checkBundle(transactions: readonly Signed[]): void {
  const { length } = transactions
  if (length < 1 || length > MOST_TRANSACTIONS)
    refuse('bundle', `1 to ${MOST_TRANSACTIONS} transactions`, words(String(length)))
  for (const transaction of transactions) checkString('bundle: base64', transaction?.base64)
  const { tipLamports } = transactions[length - 1] as Signed
  if (!(tipLamports >= LEAST_TIP)) refuse('tip', `at least ${LEAST_TIP} lamports in the last transaction`, tipLamports)
}
