import type { VeloxError as VeloxErrorFace } from '../../../index.js'
import { VeloxError } from '../../errors/velox-error.js'
import type { HttpAnswer } from './http.js'
import { retryAfterMillis } from './retry-after.js'
import type { Read } from './shapes.js'

/**
 * Why a call failed, and so what may be done: `refused` by the server for what it is; `denied`, as the server serves nothing to us;
 * `throttled`, to be asked later; `unsent`, it never reached the server; `unknown`, it may have been acted on; `stopped` by this side.
 */
export type Failure = 'refused' | 'denied' | 'throttled' | 'unsent' | 'unknown' | 'stopped'

export type Answer<R> =
  | { readonly ok: true; readonly result: R; readonly header: HttpAnswer['header'] }
  | {
      readonly ok: false
      readonly kind: Failure
      readonly error: VeloxErrorFace
      /** The server's own code, and what it said besides its message. */
      readonly rpcCode?: number
      readonly data?: unknown
      readonly retryAfterMillis?: number
    }

interface RpcError {
  readonly code?: unknown
  readonly message?: unknown
  readonly data?: unknown
}

/** What a node says while it is behind or unwell: another one, or the same one later, may do it. */
const UNWELL = [-32004, -32005, -32007, -32014, -32016, -32603]
/** Seen from Jito: "Network congested. Endpoint is globally rate limited." */
const CONGESTED = [-32097, 429]
/** A wrong key, an account without credit, another address: it says nothing of what was asked. */
const DENIED = [401, 402, 403, 404, 405, 410]

/** What a server said of itself, for a sentence. */
const shortened = (text: string) => (text.length > 200 ? `${text.slice(0, 199)}…` : text)

export function failed<R>(
  kind: Failure,
  context: { url: string; method: string; reason: string; status?: number; rpcCode?: number },
  more: { cause?: unknown; data?: unknown; retryAfterMillis?: number | undefined } = {},
): Answer<R> {
  const { cause, data, retryAfterMillis: wait } = more
  return {
    ok: false,
    kind,
    error: new VeloxError('VELOX_RPC_FAILED', context, cause === undefined ? {} : { cause }) as VeloxErrorFace,
    ...(context.rpcCode !== undefined && { rpcCode: context.rpcCode }),
    ...(data !== undefined && { data }),
    ...(wait !== undefined && { retryAfterMillis: wait }),
  }
}

function parsed(text: string): { result?: unknown; error?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** What an answer is read by: what may be shown of the server and its words, and the form of the result. */
export interface Reading<R> {
  readonly url: string
  readonly method: string
  readonly read?: Read<R> | undefined
  readonly masked?: (text: string) => string
}

/** A JSON-RPC answer: its result, or what its failure means. */
export function answerOf<R>({ url, method, read, masked }: Reading<R>, answer: HttpAnswer): Answer<R> {
  const { status, header } = answer
  const given = parsed(answer.text)
  if (status === 200 && given && 'result' in given && (given.error ?? null) === null) {
    const result = read ? read(given.result) : (given.result as R)
    if (result !== undefined) return { ok: true, result, header }
    return failed('unknown', { url, method, reason: 'a result of another form', status })
  }
  // Servers repeat what they were asked, keys too.
  const text = masked ? masked(answer.text) : answer.text
  const message = parsed(text)
  const wait = retryAfterMillis(header('retry-after') ?? null, text)
  if (message?.error !== undefined && message.error !== null) {
    const {
      code,
      message: said,
      data,
    } = (typeof message.error === 'object' ? message.error : { message: message.error }) as RpcError
    const reason = shortened(typeof said === 'string' ? said : text)
    const cause = Object.assign(new Error(typeof said === 'string' ? said : text), {
      ...(code !== undefined && { code }),
      ...(data !== undefined && { data }),
    })
    const context = { url, method, reason, status, ...(typeof code === 'number' && { rpcCode: code }) }
    return failed(kindOf(status, code, reason), context, { cause, data, retryAfterMillis: wait })
  }
  if (status === 429)
    return failed('throttled', { url, method, reason: 'too many requests', status }, { retryAfterMillis: wait })
  const reason = status === 200 ? 'an answer that is no JSON-RPC' : shortened(text.trim()) || 'no words'
  // Other statuses of 4xx are the server's last word; 5xx may come from a proxy after the request has passed.
  const isLast = status >= 400 && status < 500 && status !== 408
  const kind = DENIED.includes(status) ? 'denied' : isLast ? 'refused' : 'unknown'
  return failed(kind, { url, method, reason, status }, { retryAfterMillis: wait })
}

function kindOf(status: number, code: unknown, reason: string): Failure {
  if (
    status === 429 ||
    CONGESTED.includes(code as number) ||
    /rate limit|retry after \d|no connected leader/i.test(reason)
  )
    return 'throttled'
  if (DENIED.includes(status)) return 'denied'
  if (status >= 500 || UNWELL.includes(code as number)) return 'unknown'
  return 'refused'
}
