// A local exchange as a process of its own: `node main.js '{"venue":"kraken","market":"synthetic"}'` prints where it is
// as one line of JSON; its methods are called by `POST /<method>` on the control port, with their arguments as JSON.
// It ends with its standard input.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startExchange } from './exchange.js'
import type { ExchangeOptions } from './options.js'

const exchange = await startExchange(JSON.parse(process.argv[2] ?? '{}') as ExchangeOptions)

const text = (value: unknown) => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v)) ?? 'null'

async function call(name: string, args: unknown[]): Promise<unknown> {
  const member: unknown = Reflect.get(exchange, name)
  return typeof member === 'function' ? await Reflect.apply(member, exchange, args) : member
}

const control = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  try {
    const args = JSON.parse(Buffer.concat(chunks).toString() || '[]') as unknown[]
    response.end(text(await call((request.url ?? '/').slice(1), args)))
  } catch (error) {
    response.writeHead(500).end(text(error instanceof Error ? error.message : String(error)))
  }
})

control.listen(0, '127.0.0.1', () => {
  const { port } = control.address() as AddressInfo
  const { url, restUrl, caFile, symbols } = exchange
  console.log(text({ url, restUrl, caFile, symbols, control: `http://127.0.0.1:${port}`, pid: process.pid }))
})

async function end(): Promise<void> {
  await exchange.close()
  process.exit(0)
}

process.stdin.resume().on('end', end)
process.on('SIGTERM', end)
