import type { Faults } from '../faults.js'
import { type Answer, type Asked, HttpHost } from '../http-host.js'
import { json } from '../json.js'
import { type Call, JsonRpc, type Reply, RpcError, type Service } from '../json-rpc.js'
import { Limit } from '../limits.js'
import type { Requests } from '../requests.js'
import type { View } from '../rpc/view.js'
import type { BlockEngine } from './engine.js'
import { callRegion } from './methods.js'
import type { TipFloor } from './tip-floor.js'

const TIP_FLOOR = '/api/v1/bundles/tip_floor'

export interface RegionOptions {
  readonly name: string
  readonly port: number
  readonly requestsPerSecond: number
  /** Requests a second by UUID of `x-jito-auth`. */
  readonly auth: Readonly<Record<string, number>>
}

/** One region of the block engine: its HTTP API on a port of its own. */
export class Region implements Service {
  readonly name: string
  readonly takesBatches = false
  readonly #o: RegionOptions
  readonly #engine: BlockEngine
  readonly #view: View
  readonly #faults: Faults
  readonly #rpc: JsonRpc
  readonly #tips: TipFloor
  readonly #host: HttpHost
  readonly #limit: Limit
  readonly #limits: ReadonlyMap<string, Limit>

  constructor(o: RegionOptions, engine: BlockEngine, view: View, tips: TipFloor, faults: Faults, requests: Requests) {
    this.name = o.name
    this.#o = o
    this.#engine = engine
    this.#view = view
    this.#faults = faults
    this.#tips = tips
    this.#limit = new Limit(o.requestsPerSecond)
    this.#limits = new Map(Object.entries(o.auth).map(([uuid, perSecond]) => [uuid, new Limit(perSecond)]))
    this.#rpc = new JsonRpc(this, faults, requests)
    this.#host = new HttpHost(o.port, (asked) => this.#answer(asked))
  }

  /** The base of its URLs: `/api/v1/…` comes behind it. */
  get url(): string {
    return `http://${this.#host.origin}`
  }

  get tipFloorUrl(): string {
    return `${this.url}${TIP_FLOOR}`
  }

  listen(): Promise<void> {
    return this.#host.listen()
  }

  /** Every connection is reset and the port closed, until `restart`. */
  crash(): Promise<void> {
    return this.#host.crash()
  }

  restart(): Promise<void> {
    return this.#host.restart()
  }

  limitOf({ headers }: Asked): Limit {
    return this.#limits.get(String(headers['x-jito-auth'])) ?? this.#limit
  }

  async call(call: Call, { url, headers }: Asked): Promise<Reply> {
    const uuid = headers['x-jito-auth']
    if (uuid !== undefined && !this.#limits.has(String(uuid)))
      throw new RpcError(-32600, 'Unauthorized: unknown x-jito-auth', { status: 401 })
    return callRegion(call, url.pathname, {
      engine: this.#engine,
      slot: this.#view.head.slot,
      bundleOnly: url.searchParams.get('bundleOnly') === 'true',
      isDropped: () => this.#faults.takesAway('dropBundle', this.name),
    })
  }

  tooMany(id: unknown, waitMillis: number | undefined): { body: string; headers: Record<string, string> } {
    const { requestsPerSecond } = this.#o
    const message =
      waitMillis === undefined
        ? 'Network congested. Endpoint is globally rate limited.'
        : `Rate limit exceeded. Limit: ${requestsPerSecond} per second for txn requests. Back-off triggered: Retry after ${waitMillis}ms`
    return { body: json({ jsonrpc: '2.0', error: { code: -32097, message }, id }), headers: {} }
  }

  async #answer(asked: Asked): Promise<Answer> {
    const { httpMethod, url } = asked
    if (httpMethod === 'GET' && url.pathname === TIP_FLOOR)
      return this.#rpc.handleRest(asked, () => ({ status: 200, body: json(this.#tips.list()) }))
    if (httpMethod === 'POST' && url.pathname.startsWith('/api/v1/')) return this.#rpc.handle(asked)
    return { status: 404, body: json({ error: 'Not Found' }) }
  }
}
