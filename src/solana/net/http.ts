import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { urlToHttpOptions } from 'node:url'

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

/** An address and headers, taken apart once for all requests. */
export interface Target {
  readonly request: (o: RequestOptions) => ClientRequest
  readonly options: RequestOptions
}

export function targetOf(url: string, headers: Readonly<Record<string, string>> = {}): Target {
  const isTls = url.startsWith('https:')
  const all = { accept: 'application/json', 'content-type': 'application/json', ...headers }
  return {
    request: isTls ? tlsRequest : request,
    options: { ...urlToHttpOptions(new URL(url)), agent: isTls ? tlsAgent : agent, headers: all },
  }
}

/**
 * No redirect is followed: what is sent is meant for this server, and so are its keys. While it is under way it is in `underWay`, for
 * who wants to end it.
 */
export function httpRequest(
  { request, options }: Target,
  o: { body?: string; timeoutMillis: number; underWay?: Set<ClientRequest>; signal?: AbortSignal },
): Promise<HttpAnswer> {
  const { body, timeoutMillis, underWay, signal } = o
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, method: body === undefined ? 'GET' : 'POST', ...(signal && { signal }) })
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMillis} ms`)), timeoutMillis)
    underWay?.add(sent)
    const end = () => {
      clearTimeout(timer)
      underWay?.delete(sent)
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
    sent.end(body)
  })
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
