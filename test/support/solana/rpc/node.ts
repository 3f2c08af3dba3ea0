import { type WebSocket, WebSocketServer } from 'ws'
import type { Faults } from '../faults.js'
import { HttpHost } from '../http-host.js'
import { json } from '../json.js'
import { type Call, JsonRpc, type Reply, RpcError, type Service } from '../json-rpc.js'
import { Limit } from '../limits.js'
import type { Requests } from '../requests.js'
import type { NodeContext } from './context.js'
import { methods } from './methods/index.js'
import { Socket } from './socket.js'
import type { View } from './view.js'

export interface NodeOptions {
  readonly name: string
  readonly port: number
  readonly requestsPerSecond: number
}

/** An RPC node: JSON-RPC over HTTP and subscriptions over WebSocket, both on one port. */
export class RpcNode implements Service {
  readonly name: string
  readonly takesBatches = true
  readonly #limit: Limit
  readonly #context: NodeContext
  readonly #requests: Requests
  readonly #host: HttpHost
  readonly #webSockets: WebSocketServer = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  readonly #clients: Set<Socket> = new Set()
  #subscriptions = 0
  #seenSlot: number
  #mutedUntilMillis = 0
  #refusesUntilMillis = 0

  constructor(o: NodeOptions, context: NodeContext, faults: Faults, requests: Requests) {
    this.name = o.name
    this.#limit = new Limit(o.requestsPerSecond)
    this.#context = context
    this.#requests = requests
    this.#seenSlot = context.view.head.slot
    const rpc = new JsonRpc(this, faults, requests)
    this.#host = new HttpHost(
      o.port,
      (asked) => rpc.handle(asked),
      (request, socket, head) => {
        if (Date.now() < this.#refusesUntilMillis) socket.resetAndDestroy()
        else this.#webSockets.handleUpgrade(request, socket, head, (ws) => this.#admit(ws))
      },
    )
    context.view.chain.onBlock(() => this.#advance())
  }

  get url(): string {
    return `http://${this.#host.origin}`
  }

  get wsUrl(): string {
    return `ws://${this.#host.origin}`
  }

  get view(): View {
    return this.#context.view
  }

  /** WebSockets that are open. */
  get webSockets(): number {
    return this.#clients.size
  }

  /** What all of its clients have subscribed to. */
  get subscriptions(): number {
    return [...this.#clients].reduce((sum, client) => sum + client.subscriptions, 0)
  }

  listen(): Promise<void> {
    return this.#host.listen()
  }

  /** From now on the node is `slots` behind; 0: with the others again. */
  lag(slots: number): void {
    this.view.lagSlots = slots
  }

  /** Sees no further block until `thaw`. */
  freeze(): void {
    this.view.freeze()
  }

  thaw(): void {
    this.view.thaw()
  }

  /** Every connection is reset and the port closed, until `restart`. */
  async crash(): Promise<void> {
    this.dropWebSockets()
    await this.#host.crash()
  }

  /** The node is there again, on the same port. */
  restart(): Promise<void> {
    return this.#host.restart()
  }

  /** Every WebSocket ends without a goodbye; for `refuseMillis` no new one is taken. */
  dropWebSockets(refuseMillis = 0): void {
    this.#refusesUntilMillis = Date.now() + refuseMillis
    for (const client of this.#clients) client.terminate()
  }

  /** Every WebSocket is closed properly. */
  closeWebSockets(code = 1001, reason = 'going away'): void {
    for (const client of this.#clients) client.close(code, reason)
  }

  /** For `millis` WebSockets stay open and notifications get lost. */
  muteWebSockets(millis: number): void {
    this.#mutedUntilMillis = Date.now() + millis
  }

  limitOf(): Limit {
    return this.#limit
  }

  async call({ method, params }: Call): Promise<Reply> {
    const answer = methods.get(method)
    if (!answer) throw new RpcError(-32601, 'Method not found')
    return { result: await answer(params, this.#context) }
  }

  tooMany(id: unknown, waitMillis: number | undefined): { body: string; headers: Record<string, string> } {
    const error = { code: 429, message: 'Too many requests for a specific RPC call' }
    const headers = waitMillis === undefined ? {} : { 'Retry-After': String(Math.ceil(waitMillis / 1000)) }
    return { body: json({ jsonrpc: '2.0', error, id }), headers: headers as Record<string, string> }
  }

  #admit(ws: WebSocket): void {
    const client = new Socket(ws, {
      name: this.name,
      view: this.view,
      requests: this.#requests,
      nextId: () => ++this.#subscriptions,
      isMuted: () => Date.now() < this.#mutedUntilMillis,
    })
    this.#clients.add(client)
    ws.on('close', () => this.#clients.delete(client))
  }

  #advance(): void {
    const { slot } = this.view.head
    const seen = this.view.chain.blocks.between(this.#seenSlot, slot)
    this.#seenSlot = slot
    for (const client of this.#clients) client.advance(seen)
  }
}
