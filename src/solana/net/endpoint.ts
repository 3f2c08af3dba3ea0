import type { ClientRequest } from 'node:http'
import type { VeloxError as VeloxErrorFace } from '../../../index.js'
import type { EndpointStats } from '../../../solana.js'
import { breathe } from '../breathe.js'
import { type Answer, answerOf, type Failure, failed } from './answer.js'
import { Breaker } from './breaker.js'
import { type Priority, TokenBucket } from './bucket.js'
import { httpRequest, type NoAnswer, type Target, targetOf } from './http.js'
import { Lanes } from './lanes.js'
import type { OneChain } from './one-chain.js'
import { genesisHash, type Read } from './shapes.js'

export interface EndpointOptions {
  readonly url: string
  readonly perSecond: number
  readonly burst: number
  readonly timeoutMillis: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A 503 without words on when to come back holds the server's bucket so long. */
const UNWELL_MILLIS = 200
const THROTTLED_MILLIS = 1_000
/** A wait that is no reason to go to another server. */
const SOON_MILLIS = 100
/** Keys in a path or a query are at least so long. */
const SECRET_LENGTH = 8

export interface CallOptions<R> {
  readonly priority: Priority
  /** What the result has to be. */
  readonly read?: Read<R>
  readonly path?: string
  readonly isWanted?: () => boolean
}

const CLOSED = 'it was closed'
const BUSY = 'no request is free for now'

/** One server: its address, and what protects it from us. */
export class Endpoint {
  /** What may be shown of its address: providers put keys into paths and queries. */
  readonly shown: string
  readonly bucket: TokenBucket
  readonly breaker = new Breaker()
  readonly #lanes = new Lanes()
  /** Calls that have no token yet. */
  #ahead = 0
  readonly #o: EndpointOptions
  readonly #secrets: readonly string[]
  readonly #underWay = new Set<ClientRequest>()
  /** By path. */
  readonly #targets = new Map<string, Target>()
  /** Why calls were not made, by method and reason: a stack for each of thousands would be work for nobody. */
  readonly #nots = new Map<string, Answer<never>>()
  /** What it last failed of. */
  #failure: VeloxErrorFace | undefined
  /** Asked of its chain before it is asked for anything else. */
  readonly #chain: OneChain | undefined
  #isOfChain: boolean
  /** Why nothing is asked here. */
  #refusal: string | undefined
  #looking: Promise<Answer<never> | undefined> | undefined
  #isClosed = false
  #id = 0
  #requests = 0
  #failures = 0
  #throttled = 0

  constructor(o: EndpointOptions, chain?: OneChain) {
    this.#o = o
    this.#chain = chain
    this.#isOfChain = chain === undefined
    const { origin, pathname, search, username, password } = new URL(o.url)
    this.shown = origin
    const parts = [
      ...pathname.split('/'),
      ...search.split(/[?&=]/),
      username,
      password,
      ...Object.values(o.headers ?? {}),
    ]
    // A server may have taken them apart before it repeats them.
    this.#secrets = [...parts, ...parts.map(decoded)].filter(({ length }) => length >= SECRET_LENGTH)
    this.bucket = new TokenBucket(o)
  }

  stats(): EndpointStats {
    return {
      url: this.shown,
      requests: this.#requests,
      failures: this.#failures,
      throttled: this.#throttled,
      open: this.breaker.isOpen || this.#refusal !== undefined,
    }
  }

  /** Ends what waits or is under way. */
  close(): void {
    this.#isClosed = true
    for (const sent of this.#underWay) sent.destroy(new Error(CLOSED))
    this.bucket.close()
    this.#lanes.close()
  }

  /** How long a request would wait here, about. */
  get waitMillis(): number {
    return this.breaker.isOpen ? Number.POSITIVE_INFINITY : this.bucket.waitMillis(this.#ahead)
  }

  /** Whether a request would go soon. */
  get isFree(): boolean {
    return this.waitMillis < SOON_MILLIS && this.#lanes.isFree('send')
  }

  /** One request, once there is a token for it; never throws. A resend doesn't wait for one; `isWanted` is asked then. */
  call<R>(method: string, params: readonly unknown[], o: CallOptions<R>): Promise<Answer<R>> {
    // At once: whoever comes next looks how many are ahead.
    if (this.#isOfChain) return this.#call(method, params, o)
    return this.look().then((not) => not ?? this.#call(method, params, o))
  }

  /** Learns of which chain it is, where that is not known yet; why it is not to be asked, or could not tell. */
  async look(): Promise<Answer<never> | undefined> {
    if (this.#isOfChain) return undefined
    if (this.#refusal !== undefined) return this.#not('getGenesisHash', 'denied', this.#refusal)
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<Answer<never> | undefined> {
    const answer = await this.#call('getGenesisHash', [], { priority: 'status', read: genesisHash })
    // What is meant to be sent was not.
    if (!answer.ok && answer.kind !== 'refused')
      return answer.kind === 'unknown' ? { ...answer, kind: 'unsent' } : answer
    this.#refusal = answer.ok ? this.#chain?.refusalOf(this.shown, answer.result) : undefined
    if (this.#refusal !== undefined) return this.#not('getGenesisHash', 'denied', this.#refusal)
    this.#isOfChain = true
    return undefined
  }

  async #call<R>(method: string, params: readonly unknown[], o: CallOptions<R>): Promise<Answer<R>> {
    const not = (kind: Failure, reason: string) => this.#not(method, kind, reason)
    if (!this.breaker.admits()) return not('unsent', this.#left())
    const { priority } = o
    this.#ahead++
    if (!(await this.#lanes.enter(priority)) || this.#isClosed) {
      this.#ahead--
      this.breaker.withdrawn()
      return this.#isClosed ? not('stopped', CLOSED) : not('throttled', BUSY)
    }
    try {
      const isTaken = priority === 'resend' ? this.bucket.tryTake() : await this.bucket.take(priority)
      this.#ahead--
      const isWanted = isTaken && !this.#isClosed && o.isWanted?.() !== false
      if (isWanted) return await this.#answered(method, params, o)
      this.breaker.withdrawn()
      if (this.#isClosed) return not('stopped', CLOSED)
      if (!isTaken) return not('throttled', BUSY)
      this.bucket.giveBack()
      return not('unsent', 'it was not wanted any more')
    } finally {
      this.#lanes.leave(priority)
    }
  }

  /** Who only sees this one is to know why. */
  #left(): string {
    const { reason = '' } = (this.#failure?.context ?? {}) as { reason?: string }
    return `it failed too often and is left alone for a while, last of: ${reason}`
  }

  #not(method: string, kind: Failure, reason: string): Answer<never> {
    const key = `${method} ${reason}`
    const more = { cause: this.#failure }
    const not = this.#nots.get(key) ?? failed<never>(kind, { url: this.shown, method, reason }, more)
    this.#nots.set(key, not)
    return not
  }

  #targetOf(path: string): Target {
    const { url, headers } = this.#o
    const target = this.#targets.get(path) ?? targetOf(url + path, headers)
    this.#targets.set(path, target)
    return target
  }

  async #answered<R>(method: string, params: readonly unknown[], o: CallOptions<R>): Promise<Answer<R>> {
    this.#requests++
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++this.#id, method, params })
    const answer = await this.#asked(method, body, o)
    this.#judge(answer)
    return answer
  }

  async #asked<R>(method: string, body: string, { path = '', read }: CallOptions<R>): Promise<Answer<R>> {
    const { timeoutMillis } = this.#o
    try {
      const answer = await httpRequest(this.#targetOf(path), { body, timeoutMillis, underWay: this.#underWay })
      // Answers come many at once, where they had to wait.
      await breathe()
      return answerOf({ url: this.shown, method, read, masked: (text) => this.#masked(text) }, answer)
    } catch (error) {
      const { isUnsent, message } = error as NoAnswer
      const kind = this.#isClosed ? 'stopped' : isUnsent ? 'unsent' : 'unknown'
      return failed(kind, { url: this.shown, method, reason: message }, { cause: error })
    }
  }

  #masked(text: string): string {
    return this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
  }

  /** What an answer says of the server's health. */
  #judge(answer: Answer<unknown>): void {
    if (answer.ok || answer.kind === 'refused') {
      this.breaker.succeeded()
      return
    }
    if (answer.kind === 'stopped') {
      this.breaker.withdrawn()
      return
    }
    this.#failures++
    this.#failure = answer.error
    // They have the one before.
    this.#nots.clear()
    if (answer.kind === 'throttled') {
      // It is well, and we were too fast.
      this.#throttled++
      this.breaker.succeeded()
      this.bucket.pause(answer.retryAfterMillis ?? THROTTLED_MILLIS * (0.5 + Math.random()))
      return
    }
    this.breaker.failed()
    const { status } = answer.error.context as { status?: number }
    if (status === 503) this.bucket.pause(answer.retryAfterMillis ?? UNWELL_MILLIS)
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
