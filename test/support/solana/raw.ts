/** What a server said, as it came. */
export interface RawReply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** `result` and `error` of the JSON, where it is JSON. */
  readonly result: unknown
  readonly error?: {
    readonly code: number
    readonly message: string
    readonly data?: Readonly<Record<string, unknown>>
  }
}

/** One JSON-RPC call by plain HTTP, without a client's opinions. */
export async function post(
  url: string,
  method: string,
  params: readonly unknown[] = [],
  o: {
    readonly headers?: Readonly<Record<string, string>>
    readonly signal?: AbortSignal
    readonly body?: string
  } = {},
): Promise<RawReply> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...o.headers },
    body: o.body ?? JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    ...(o.signal ? { signal: o.signal } : {}),
  })
  const text = await response.text()
  let json: Partial<RawReply> = {}
  try {
    json = JSON.parse(text)
  } catch {
    // Not every answer is JSON.
  }
  const { result, error } = json
  return { status: response.status, headers: response.headers, text, result, ...(error ? { error } : {}) }
}
