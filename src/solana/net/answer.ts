import type { VeloxError as VeloxErrorFace } from '../../../index.js'
import { VeloxError } from '../../errors/velox-error.js'
import type { HttpAnswer } from './http.js'
import { retryAfterMillis } from './retry-after.js'

/**
 * Why a call failed, and so what may be done: `refused` by the server for good; `throttled`, to be asked later;
 * `unsent`, it never reached the server; `unknown`, it may have been acted on; `stopped` by this side.
 */
export type Failure = 'refused' | 'throttled' | 'unsent' | 'unknown' | 'stopped'

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
    error: new VeloxError('VELOX_RPC_FAILED', context, { cause }) as VeloxErrorFace,
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

/** A JSON-RPC answer: its result, or what its failure means. `url` is what may be shown of the server. */
export function answerOf<R>(url: string, method: string, { status, header, text }: HttpAnswer): Answer<R> {
  const message = parsed(text)
  if (status === 200 && message && 'result' in message && message.error === undefined)
    return { ok: true, result: message.result as R, header }
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
  const kind = status >= 400 && status < 500 && status !== 408 ? 'refused' : 'unknown'
  return failed(kind, { url, method, reason, status }, { retryAfterMillis: wait })
}

function kindOf(status: number, code: unknown, reason: string): Failure {
  if (
    status === 429 ||
    CONGESTED.includes(code as number) ||
    /rate limit|retry after \d|no connected leader/i.test(reason)
  )
    return 'throttled'
  if (status >= 500 || UNWELL.includes(code as number)) return 'unknown'
  return 'refused'
}
