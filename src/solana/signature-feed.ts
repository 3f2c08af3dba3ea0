import type { WebSocketStats } from '../../solana.js'
import { kit } from './kit.js'
import { backoffMillis } from './net/backoff.js'

/** A dead connection is found by a ping that fails, as kit tells nothing of one that the server closed in good order. */
const PING_MILLIS = 5_000
/** kit's own ping, which tells nobody that it failed. */
const KIT_PING_MILLIS = 2 ** 30
/** So many subscriptions a connection; what is beyond is asked for by polling alone. */
const MOST_SUBSCRIPTIONS = 1_000
const CONNECT_MILLIS = 10_000

interface Channel {
  on(type: 'message' | 'error', listener: (data: unknown) => void, o: { signal: AbortSignal }): unknown
  send(message: unknown): Promise<void>
}

/**
 * Hears of signatures by one WebSocket. A notification only wakes whoever asks for statuses, and so does each new connection:
 * notifications are not replayed, and what came meanwhile has to be asked for.
 */
export class SignatureFeed {
  readonly #url: string
  readonly #commitment: string
  readonly #wake: () => void
  /** What is heard of, and the node's number for it on this connection, once it told. */
  readonly #signatures = new Map<string, number | undefined>()
  /** The same by the node's numbers. */
  readonly #subscribed = new Map<number, string>()
  /** By the numbers of requests that the node has not answered. */
  readonly #asked = new Map<number, string>()
  readonly #stop = new AbortController()
  #channel: Channel | undefined
  #id = 0
  #connections = 0
  #failures = 0

  private constructor(url: string, commitment: string, wake: () => void) {
    // What a path or a query has may be a key.
    this.#url = new URL(url).origin
    this.#commitment = commitment
    this.#wake = wake
  }

  /** The WebSocket client is kit's: without it there is no `ws`. */
  static async open(url: string, commitment: string, wake: () => void): Promise<SignatureFeed> {
    const create = (await kit()).createDefaultRpcSubscriptionsChannelCreator({ url, intervalMs: KIT_PING_MILLIS })
    const feed = new SignatureFeed(url, commitment, wake)
    void feed.#keep((signal) => create({ abortSignal: signal }) as Promise<Channel>)
    return feed
  }

  stats(): WebSocketStats {
    const [connections, failures] = [this.#connections, this.#failures]
    return { url: this.#url, connected: this.#channel !== undefined, connections, failures }
  }

  add(signature: string): void {
    if (this.#signatures.size >= MOST_SUBSCRIPTIONS) return
    this.#signatures.set(signature, undefined)
    this.#subscribe(signature)
  }

  remove(signature: string): void {
    const subscription = this.#signatures.get(signature)
    this.#signatures.delete(signature)
    if (subscription !== undefined) this.#subscribed.delete(subscription)
    // After its notification the node has ended it by itself.
    if (subscription !== undefined) this.#send('signatureUnsubscribe', [subscription])
  }

  close(): void {
    this.#stop.abort()
  }

  #subscribe(signature: string): void {
    // A node that answers none of them is one to be polled.
    if (!this.#channel || this.#asked.size > MOST_SUBSCRIPTIONS) return
    this.#send('signatureSubscribe', [signature, { commitment: this.#commitment }])
    this.#asked.set(this.#id, signature)
  }

  #send(method: string, params: readonly unknown[]): void {
    // What a connection that is ending didn't take is sent on the next one.
    this.#channel?.send({ jsonrpc: '2.0', id: ++this.#id, method, params }).catch(() => {})
  }

  async #keep(connect: (signal: AbortSignal) => Promise<Channel>): Promise<void> {
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted; ) {
      const began = performance.now()
      const isConnected = await this.#connection(connect)
      failures = isConnected && performance.now() - began > 2 * PING_MILLIS ? 0 : failures + 1
      if (!signal.aborted) await pause(backoffMillis(failures), signal)
    }
  }

  /** One connection, to its end; whether there was one. */
  async #connection(connect: (signal: AbortSignal) => Promise<Channel>): Promise<boolean> {
    const end = new AbortController()
    const cut = () => end.abort()
    this.#stop.signal.addEventListener('abort', cut)
    const late = setTimeout(cut, CONNECT_MILLIS)
    let ping: NodeJS.Timeout | undefined
    try {
      const channel = await connect(end.signal)
      clearTimeout(late)
      const over = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve(), { once: true }))
      channel.on('message', (message) => this.#heard(message), { signal: end.signal })
      channel.on('error', cut, { signal: end.signal })
      ping = setInterval(() => {
        this.#id++
        channel.send({ jsonrpc: '2.0', id: this.#id, method: 'ping' }).catch(cut)
      }, PING_MILLIS)
      this.#channel = channel
      this.#connections++
      this.#failures = 0
      this.#asked.clear()
      this.#subscribed.clear()
      for (const signature of this.#signatures.keys()) {
        this.#signatures.set(signature, undefined)
        this.#subscribe(signature)
      }
      this.#wake()
      await over
      return true
    } catch {
      if (!this.#stop.signal.aborted) this.#failures++
      return false
    } finally {
      this.#channel = undefined
      clearTimeout(late)
      clearInterval(ping)
      this.#stop.signal.removeEventListener('abort', cut)
      end.abort()
    }
  }

  #heard(message: unknown): void {
    const { id, method, params, result } = (message ?? {}) as {
      id?: number
      method?: unknown
      params?: { subscription?: number }
      result?: number
    }
    if (method === 'signatureNotification') {
      const subscription = Number(params?.subscription)
      const signature = this.#subscribed.get(subscription)
      this.#subscribed.delete(subscription)
      if (signature !== undefined) this.#signatures.set(signature, undefined)
      this.#wake()
      return
    }
    const signature = this.#asked.get(id ?? 0)
    if (signature === undefined) return
    this.#asked.delete(id as number)
    if (result === undefined) return
    if (this.#signatures.has(signature)) {
      this.#signatures.set(signature, result)
      this.#subscribed.set(result, signature)
    } else this.#send('signatureUnsubscribe', [result])
  }
}

/** Waits so long, or until the signal. */
function pause(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', go)
      resolve()
    }
    const timer = setTimeout(go, millis)
    signal.addEventListener('abort', go)
  })
}
