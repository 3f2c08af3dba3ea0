import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'

/** An answer of a server, read to its end. */
export interface HttpAnswer {
  readonly status: number
  /** The value of a header, by its name in small letters. */
  header(name: string): string | undefined
  readonly text: string
}

/** What the system says where nothing of a request has left this machine. */
const UNSENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH']

/** Connections stay open between requests, and keep no process alive. */
const agent = new Agent({ keepAlive: true })
const tlsAgent = new TlsAgent({ keepAlive: true })

/** The longest answer that is read; 256 statuses are 50 kB. */
const MOST_ANSWER = 8 << 20

/** A request that got no answer, or half of one. */
export class NoAnswer extends Error {
  /** Whether the server can't have seen the request. */
  readonly isUnsent: boolean

  constructor(reason: string, isUnsent: boolean, cause: unknown) {
    super(reason, { cause })
    this.isUnsent = isUnsent
  }
}

/** No redirect is followed: what is sent is meant for this server, and so are its keys. */
export function httpRequest(
  url: string,
  o: { body?: string; headers?: Readonly<Record<string, string>>; timeoutMillis: number; signal?: AbortSignal },
): Promise<HttpAnswer> {
  const { body, timeoutMillis, signal } = o
  const headers = { accept: 'application/json', 'content-type': 'application/json', ...o.headers }
  return new Promise((resolve, reject) => {
    const sent = requestOf(url, { method: body === undefined ? 'GET' : 'POST', headers })
    const stop = () => sent.destroy(asError(signal?.reason))
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMillis} ms`)), timeoutMillis)
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
    const fail = (error: Error & { code?: string }) => {
      end()
      const { message, code = '' } = error
      reject(new NoAnswer(message || code, UNSENT.includes(code), error))
    }
    sent.on('error', fail)
    sent.on('response', (answer) => {
      read(answer, (text) => {
        end()
        const header = (name: string) => answer.headers[name]?.toString()
        resolve({ status: answer.statusCode ?? 0, header, text })
      })
      answer.on('error', fail)
    })
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
    sent.end(body)
  })
}

function requestOf(url: string, o: { method: string; headers: Readonly<Record<string, string>> }): ClientRequest {
  return url.startsWith('https:') ? tlsRequest(url, { ...o, agent: tlsAgent }) : request(url, { ...o, agent })
}

function read(answer: IncomingMessage, done: (text: string) => void): void {
  let text = ''
  answer.setEncoding('utf8')
  answer.on('data', (part: string) => {
    text += part
    if (text.length > MOST_ANSWER) answer.destroy(new Error(`an answer of more than ${MOST_ANSWER} bytes`))
  })
  answer.on('end', () => done(text))
}

const asError = (reason: unknown) => (reason instanceof Error ? reason : new Error('it was stopped'))
