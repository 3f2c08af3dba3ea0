import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { type Faults, FaultySender, type Tag } from './faults.js'
import type { Session, Subscription } from './protocol.js'

export interface ClientHooks {
  /** Unread bytes at which the client is cut off. */
  readonly slowBytes: number
  subscribed(client: Client, subscription: Subscription): void
  unsubscribed(client: Client, key: string): void
  sent(tag: Tag): void
}

const other: Tag = { kind: 'other' }

/** One connected client: its streams, and its way out through the faults. */
export class Client implements Session {
  readonly subscriptions: Map<string, Subscription> = new Map()
  readonly notes: Map<string, string> = new Map()
  sequence = 0
  lastHeardMs: number = Date.now()
  lastSentMs: number = Date.now()
  #last = '{}'
  #isGone = false
  #waiting: { text: string; tag: Tag }[] | undefined
  readonly #sender: FaultySender
  readonly ws: WebSocket
  readonly #socket: Socket
  readonly #faults: Faults
  readonly #hooks: ClientHooks

  constructor(ws: WebSocket, socket: Socket, faults: Faults, hooks: ClientHooks) {
    this.ws = ws
    this.#socket = socket
    this.#faults = faults
    this.#hooks = hooks
    this.#sender = new FaultySender(faults, (text, tag) => this.#deliver(text, tag))
  }

  get isGone(): boolean {
    return this.#isGone || this.ws.readyState !== this.ws.OPEN
  }

  /** Bytes that the client has not taken yet. */
  get backlog(): number {
    return this.ws.bufferedAmount
  }

  answer(text: string): void {
    this.#deliver(text, other)
  }

  send(text: string, tag: Tag): void {
    this.#sender.send(text, tag)
  }

  subscribe(subscription: Subscription): void {
    this.subscriptions.set(subscription.key, subscription)
    this.#hooks.subscribed(this, subscription)
  }

  unsubscribe(key: string): void {
    this.subscriptions.delete(key)
    this.#hooks.unsubscribed(this, key)
  }

  /** From here on nothing goes out and nothing is read; `release` sends what came up meanwhile. */
  hold(): void {
    if (this.#waiting) return
    this.#waiting = []
    this.ws.pause()
  }

  release(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    this.ws.resume()
    for (const { text, tag } of waiting) this.#deliver(text, tag)
  }

  /** Half of a frame, then the connection is gone without a goodbye. */
  cut(): void {
    if (this.isGone) return
    this.#isGone = true
    const payload = Buffer.from(this.#last)
    const header = frameHeader(payload.length)
    const half = Buffer.concat([header, payload.subarray(0, payload.length >> 1)])
    const destroy = () => this.#socket.destroy()
    this.#socket.write(half, destroy)
    setTimeout(destroy, 500).unref()
  }

  close(code: number, reason: string): void {
    this.ws.close(code, reason)
  }

  terminate(): void {
    this.#isGone = true
    this.ws.terminate()
  }

  garbage(bytes: string | Buffer): void {
    if (!this.isGone) this.ws.send(bytes)
  }

  #deliver(text: string, tag: Tag): void {
    if (this.#waiting) {
      this.#waiting.push({ text, tag })
      return
    }
    if (this.isGone) return
    this.#hooks.sent(tag)
    this.ws.send(text)
    this.#last = text
    this.lastSentMs = Date.now()
    this.#faults.counts.messages++
    if (tag.kind === 'snapshot') this.#faults.counts.snapshots++
    if (this.backlog > this.#hooks.slowBytes) {
      this.#faults.counts.slow++
      this.terminate()
    }
  }
}

/** The header of an unmasked text frame (RFC 6455, 5.2). */
function frameHeader(length: number): Buffer {
  if (length < 126) return Buffer.from([0x81, length])
  if (length < 2 ** 16) {
    const header = Buffer.from([0x81, 126, 0, 0])
    header.writeUInt16BE(length, 2)
    return header
  }
  const header = Buffer.alloc(10)
  header.set([0x81, 127])
  header.writeBigUInt64BE(BigInt(length), 2)
  return header
}
