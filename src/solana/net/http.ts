/** An answer of a server, read to its end. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** What the system says where nothing of a request has left this machine. */
const UNSENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']

/** A request that got no answer, or half of one. */
export class NoAnswer extends Error {
  /** Whether the server can't have seen the request. */
  readonly isUnsent: boolean

  constructor(reason: string, isUnsent: boolean, cause: unknown) {
    super(reason, { cause })
    this.isUnsent = isUnsent
  }
}

/** A redirect is refused: what is sent is meant for this server, and so are its keys. */
export async function httpRequest(
  url: string,
  o: { body?: string; headers?: Readonly<Record<string, string>>; timeoutMillis: number; signal?: AbortSignal },
): Promise<HttpAnswer> {
  const cut = new AbortController()
  const timer = setTimeout(() => cut.abort(new Error(`no answer within ${o.timeoutMillis} ms`)), o.timeoutMillis)
  const stop = () => cut.abort(o.signal?.reason)
  if (o.signal?.aborted) stop()
  // AbortSignal.any holds on to what it made of a signal that lives longer.
  else o.signal?.addEventListener('abort', stop, { once: true })
  try {
    const response = await fetch(url, {
      method: o.body === undefined ? 'GET' : 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json', ...o.headers },
      ...(o.body !== undefined && { body: o.body }),
      redirect: 'error',
      signal: cut.signal,
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  } catch (error) {
    const { message, code } = innermost(error)
    throw new NoAnswer(message, UNSENT.includes(code), error)
  } finally {
    clearTimeout(timer)
    o.signal?.removeEventListener('abort', stop)
  }
}

/** `fetch failed` has what really happened as its cause; of several addresses, the last one's. */
function innermost(error: unknown): { message: string; code: string } {
  let inner = error
  for (;;) {
    const { cause, errors } = inner as { cause?: unknown; errors?: readonly unknown[] }
    const next = errors?.at(-1) ?? cause
    if (!(next instanceof Error)) break
    inner = next
  }
  const { message = String(inner), code = '' } = inner as { message?: string; code?: string }
  return { message: message || code, code }
}
