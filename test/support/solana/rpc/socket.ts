import type { WebSocket } from 'ws'
import type { Block } from '../chain/blocks.js'
import { json } from '../json.js'
import { RpcError } from '../json-rpc.js'
import type { Requests } from '../requests.js'
import { type Subscription, subscription } from './subscriptions.js'
import type { View } from './view.js'

/** What a socket has from its node. */
export interface SocketHooks {
  readonly name: string
  readonly view: View
  readonly requests: Requests
  /** Numbers are the node's: two clients never have the same. */
  nextId(): number
  /** Whether what is to be told gets lost on its way. */
  isMuted(): boolean
}

/** kit loses a notice that comes in one packet with the answer to its subscription. */
const FIRST_NOTICE_MILLIS = 5

const METHODS = /^(slot|signature|logs|account)(Subscribe|Unsubscribe)$/

/** One client's WebSocket, and what it has subscribed to. */
export class Socket {
  readonly #subscriptions: Map<number, Subscription> = new Map()
  readonly #ws: WebSocket
  readonly #hooks: SocketHooks

  constructor(ws: WebSocket, hooks: SocketHooks) {
    this.#ws = ws
    this.#hooks = hooks
    ws.on('error', () => ws.terminate())
    ws.on('message', (data) => this.#received(data.toString()))
  }

  get subscriptions(): number {
    return this.#subscriptions.size
  }

  terminate(): void {
    this.#ws.terminate()
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason)
  }

  /** Tells what is new. */
  advance(seen: readonly Block[]): void {
    for (const [id, asked] of this.#subscriptions) this.#tell(id, asked, seen)
  }

  #tell(id: number, asked: Subscription, seen: readonly Block[]): void {
    for (const { method, result, isLast } of asked.news(this.#hooks.view, seen)) {
      if (isLast) this.#subscriptions.delete(id)
      if (!this.#hooks.isMuted()) this.#send({ jsonrpc: '2.0', method, params: { result, subscription: id } })
    }
  }

  #received(text: string): void {
    let id: unknown = null
    try {
      const call = parse(text)
      id = call.id
      this.#hooks.requests.add(this.#hooks.name, call.method).status = 200
      this.#send({ jsonrpc: '2.0', result: this.#call(call.method, call.params), id })
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      this.#send({ jsonrpc: '2.0', error: { code: error.code, message: error.message }, id })
    }
  }

  #call(method: string, params: readonly unknown[]): unknown {
    if (!METHODS.test(method)) throw new RpcError(-32601, 'Method not found')
    if (method.endsWith('Unsubscribe')) {
      if (!this.#subscriptions.delete(Number(params[0]))) throw new RpcError(-32602, 'Invalid subscription id.')
      return true
    }
    const asked = subscription(method, params, this.#hooks.view)
    if (!asked) throw new RpcError(-32601, 'Method not found')
    const number = this.#hooks.nextId()
    this.#subscriptions.set(number, asked)
    // What has happened already is told some time behind the answer, as by the notifier of a node.
    setTimeout(() => {
      if (this.#subscriptions.has(number)) this.#tell(number, asked, [])
    }, FIRST_NOTICE_MILLIS).unref()
    return number
  }

  #send(message: unknown): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(json(message))
  }
}

function parse(text: string): { id: unknown; method: string; params: readonly unknown[] } {
  try {
    const { id = null, method, params = [] } = JSON.parse(text) as Record<string, unknown>
    if (typeof method === 'string' && Array.isArray(params)) return { id, method, params }
  } catch {
    throw new RpcError(-32700, 'Parse error')
  }
  throw new RpcError(-32600, 'Invalid request')
}
