import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Asked {
  readonly httpMethod: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** How the answer is spoilt on its way. */
  readonly ends?: 'never' | 'midBody' | 'before'
}

export type Handle = (asked: Asked) => Promise<Answer>

export type Upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void

/** An HTTP server on one port of loopback, which can crash and come back there. */
export class HttpHost {
  #server: Server
  #port: number
  readonly #sockets: Set<Socket> = new Set()
  readonly #handle: Handle
  readonly #upgrade: Upgrade | undefined

  /** `port` 0 takes a free one. */
  constructor(port: number, handle: Handle, upgrade?: Upgrade) {
    this.#port = port
    this.#handle = handle
    this.#upgrade = upgrade
    this.#server = this.#create()
  }

  get origin(): string {
    return `127.0.0.1:${this.#port}`
  }

  get isListening(): boolean {
    return this.#server.listening
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Every connection is reset, and no new one taken. */
  async crash(): Promise<void> {
    if (!this.isListening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }

  /** Listens again on the same port. */
  async restart(): Promise<void> {
    if (this.isListening) return
    this.#server = this.#create()
    await this.listen()
  }

  #create(): Server {
    const server = createServer((request, response) => void this.#answer(request, response))
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('close', () => this.#sockets.delete(socket))
      // Whatever a client does to its connection is no failure of the server.
      socket.on('error', () => socket.destroy())
    })
    if (this.#upgrade) server.on('upgrade', this.#upgrade)
    return server
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const answer = await this.#handle({
      httpMethod: request.method ?? 'GET',
      url: new URL(request.url ?? '/', 'http://loopback'),
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    })
    this.#write(request.socket, response, answer)
  }

  #write(socket: Socket, response: ServerResponse, { status, body, headers, ends }: Answer): void {
    if (ends === 'never') return
    if (ends === 'before') {
      socket.resetAndDestroy()
      return
    }
    const bytes = Buffer.from(body)
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length, ...headers })
    if (ends === 'midBody') response.write(bytes.subarray(0, bytes.length >> 1), () => socket.resetAndDestroy())
    else response.end(bytes)
  }
}
