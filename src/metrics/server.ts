// The thread that serves the metrics of a run: it reads them natively, whatever the other threads are at.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { call, native } from '../native.js'

/** What the thread that asked for it tells. */
export interface ServerData {
  readonly token: number
  readonly host: string
  readonly port: number
  readonly names: readonly string[]
}

/** What this thread tells: where it listens, or why it can't. */
export type ServerMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }

/** So long a client may take to ask, and so long to take the answer. */
const ASK_MILLIS = 5_000
const ANSWER_MILLIS = 10_000
/** So many clients at once: one more is cut off. */
const MOST_CLIENTS = 64
const MOST_HEADER_BYTES = 8_192
/** So long what is under way may take after the close. */
const GRACE_MILLIS = 1_000

const HEADERS = {
  'Content-Type': 'text/plain; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

const { token, host, port, names } = workerData as ServerData
const owner = parentPort as MessagePort
const scraped = call(() => native.scrapeTake(token))
const known = new Set(['localhost', host, ...names].map((name) => name.toLowerCase()))

/** Whether a request means this server: a page of another site can make a name of its own point here, but not an address. */
function isMeant(asked: string | undefined): boolean {
  if (asked === undefined || !URL.canParse(`http://${asked}`)) return false
  const { hostname } = new URL(`http://${asked}`)
  return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || known.has(hostname.replace(/\.$/, ''))
}

/** What is answered to: a status, a text, and headers besides those of every answer. */
function answerTo({ headers, method, url }: IncomingMessage): [number, string, Record<string, string>] {
  if (!isMeant(headers.host)) return [421, 'expected the Host of this server\n', {}]
  if (url?.split('?', 1)[0] !== '/metrics') return [404, 'expected /metrics\n', {}]
  if (method !== 'GET' && method !== 'HEAD')
    return [405, 'expected GET or HEAD\n', { Allow: 'GET, HEAD', Connection: 'close' }]
  const text = call(() => native.scrapeText(scraped))
  return [200, text, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }]
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const late = setTimeout(() => request.socket.destroy(), ANSWER_MILLIS)
  response.once('close', () => clearTimeout(late))
  const [status, text, headers] = answerTo(request)
  response.writeHead(status, { ...HEADERS, 'Content-Length': Buffer.byteLength(text), ...headers }).end(text)
}

const server = createServer(
  {
    maxHeaderSize: MOST_HEADER_BYTES,
    headersTimeout: ASK_MILLIS,
    requestTimeout: ASK_MILLIS,
    keepAliveTimeout: ASK_MILLIS,
    connectionsCheckingInterval: ASK_MILLIS / 10,
  },
  answer,
)
server.maxConnections = MOST_CLIENTS
server.timeout = ANSWER_MILLIS
const tell = (message: ServerMessage) => owner.postMessage(message)
server.once('error', (error: NodeJS.ErrnoException) => {
  tell({ kind: 'failed', code: error.code ?? '', reason: error.message })
  owner.close()
})
server.listen(port, host, () => tell({ kind: 'listening', port: (server.address() as AddressInfo).port }))
owner.once('message', () => {
  server.close()
  server.closeIdleConnections()
  setTimeout(() => server.closeAllConnections(), GRACE_MILLIS).unref()
})
