import type { Faults } from './faults.js'
import type { Answer, Asked } from './http-host.js'
import { json } from './json.js'
import type { Limit } from './limits.js'
import type { RequestEntry, Requests } from './requests.js'

/** A JSON-RPC error, with the HTTP status that it comes with. */
export class RpcError extends Error {
  readonly code: number
  readonly data: unknown
  readonly status: number

  constructor(code: number, message: string, o: { data?: unknown; status?: number } = {}) {
    super(message)
    this.code = code
    this.data = o.data
    this.status = o.status ?? 200
  }
}

export const invalidParams = (message: string): RpcError => new RpcError(-32602, message)

export interface Call {
  readonly id: unknown
  readonly method: string
  readonly params: readonly unknown[]
}

export interface Reply {
  readonly result: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What a kind of server is behind its JSON-RPC. */
export interface Service {
  readonly name: string
  /** Whether several calls in one request are taken. */
  readonly takesBatches: boolean
  /** The bucket that a request is taken from. */
  limitOf(asked: Asked): Limit
  call(call: Call, asked: Asked): Promise<Reply>
  /** What it says to a request beyond its limit, or refused with 429 by a fault. */
  tooMany(id: unknown, waitMillis: number | undefined): Pick<Answer, 'body' | 'headers'>
}

const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const failure = (id: unknown, { code, message, data }: RpcError) =>
  json({ jsonrpc: '2.0', error: data === undefined ? { code, message } : { code, message, data }, id })

function parse(body: string): Call[] | Call | RpcError {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return new RpcError(-32700, 'Parse error')
  }
  const calls = (Array.isArray(value) ? value : [value]).map((call: unknown) => {
    const { id, method, params = [], jsonrpc } = (call ?? {}) as Record<string, unknown>
    const isCall = jsonrpc === '2.0' && typeof method === 'string' && Array.isArray(params)
    return isCall ? { id: id ?? null, method, params } : undefined
  })
  if (calls.length === 0 || calls.includes(undefined)) return new RpcError(-32600, 'Invalid request')
  return Array.isArray(value) ? (calls as Call[]) : (calls[0] as Call)
}

/** Answers JSON-RPC requests for a service, through its limit and through the faults. */
export class JsonRpc {
  readonly #service: Service
  readonly #faults: Faults
  readonly #requests: Requests

  constructor(service: Service, faults: Faults, requests: Requests) {
    this.#service = service
    this.#faults = faults
    this.#requests = requests
  }

  async handle(asked: Asked): Promise<Answer> {
    const parsed = parse(asked.body)
    if (parsed instanceof RpcError) return { status: 200, body: failure(null, parsed) }
    if (Array.isArray(parsed) && !this.#service.takesBatches)
      return { status: 200, body: failure(null, new RpcError(-32600, 'Invalid request')) }
    const calls = Array.isArray(parsed) ? parsed : [parsed]
    const entries = calls.map(({ method }) => this.#requests.add(this.#service.name, method))
    const answer = await this.#throughFaults(calls, Array.isArray(parsed), asked)
    if (!answer.ends) for (const entry of entries) entry.status = answer.status
    return answer
  }

  /** The same for what is no JSON-RPC: `answer` is called where the request is let through. */
  async handleRest(asked: Asked, answer: () => Answer): Promise<Answer> {
    const method = `${asked.httpMethod} ${asked.url.pathname}`
    const entry: RequestEntry = this.#requests.add(this.#service.name, method)
    const fault = this.#faults.take(this.#service.name, method)
    const refused = this.#refusal(fault, null)
    if (fault?.kind === 'slow') await wait(fault.delayMillis ?? 1000)
    const given = refused ?? spoilt(answer(), fault?.kind)
    if (!given.ends) entry.status = given.status
    return given
  }

  async #throughFaults(calls: readonly Call[], isBatch: boolean, asked: Asked): Promise<Answer> {
    const [first] = calls as [Call]
    const waitMillis = this.#service.limitOf(asked).take()
    if (waitMillis > 0) return { status: 429, ...this.#service.tooMany(first.id, waitMillis) }
    const fault = this.#faults.take(this.#service.name, first.method)
    const refused = this.#refusal(fault, first.id)
    if (refused) return refused
    const answers = []
    for (const call of calls) answers.push(await this.#answer(call, asked))
    if (fault?.kind === 'slow') await wait(fault.delayMillis ?? 1000)
    const answer = isBatch
      ? { status: 200, body: `[${answers.map(({ body }) => body).join()}]` }
      : (answers[0] as Answer)
    return spoilt(answer, fault?.kind)
  }

  #refusal(fault: ReturnType<Faults['take']>, id: unknown): Answer | undefined {
    const retryAfter = fault?.retryAfterSeconds
    const headers = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }
    switch (fault?.kind) {
      case 'tooMany': {
        const said = this.#service.tooMany(id, retryAfter === undefined ? undefined : retryAfter * 1000)
        return { status: 429, body: said.body, headers: { ...headers } }
      }
      case 'unavailable':
        return { status: 503, body: 'Service Unavailable', headers: { ...headers, 'Content-Type': 'text/plain' } }
      case 'hang':
        return { status: 0, body: '', ends: 'never' }
      case 'rpcError': {
        const { code = -32603, message = 'Internal error', data } = fault
        return { status: 200, body: failure(id, new RpcError(code, message, { data })) }
      }
      default:
        return undefined
    }
  }

  async #answer(call: Call, asked: Asked): Promise<Answer> {
    try {
      const { result, headers = {} } = await this.#service.call(call, asked)
      return { status: 200, body: json({ jsonrpc: '2.0', result, id: call.id }), headers }
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      return { status: error.status, body: failure(call.id, error) }
    }
  }
}

function spoilt(answer: Answer, kind: string | undefined): Answer {
  if (kind === 'resetMidBody') return { ...answer, ends: 'midBody' }
  return kind === 'replyLost' ? { ...answer, ends: 'before' } : answer
}
