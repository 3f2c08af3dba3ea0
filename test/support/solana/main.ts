// A local Solana as a process of its own: `node main.js --port 8899 --slot-millis 50` prints where its nodes and regions
// are as one line of JSON. What the cluster has is reached by `POST /<path>` on the control port, with the arguments as
// a JSON array: `/tick`, `/faults.add`, `/ledger.balance`, `/nodes.0.crash`, `/regions.0.restart`.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { startCluster } from './cluster.js'
import type { ClusterOptions } from './options.js'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    nodes: { type: 'string' },
    regions: { type: 'string' },
    seed: { type: 'string' },
    'slot-millis': { type: 'string' },
    'confirmed-slots': { type: 'string' },
    'finalized-slots': { type: 'string' },
    'unhealthy-slots': { type: 'string' },
    'rpc-per-second': { type: 'string' },
    'jito-per-second': { type: 'string' },
    'priority-floor': { type: 'string' },
    /** `<address>=<lamports>`, as often as wanted. */
    fund: { type: 'string', multiple: true },
    /** Ends with its standard input, and so with whoever started it. */
    'until-stdin-ends': { type: 'boolean' },
  },
})

function options(): ClusterOptions {
  const { fund: _, regions, 'until-stdin-ends': __, ...numbers } = values
  const camel = (name: string) => name.replace(/-(.)/g, (_match, c: string) => c.toUpperCase())
  const settled = Object.entries(numbers).map(([name, value]) => {
    const number = Number(value)
    if (Number.isNaN(number) || number < 0) throw new Error(`--${name} takes a number of at least 0, not ${value}`)
    return [camel(name), number]
  })
  return { ...Object.fromEntries(settled), ...(regions ? { regions: regions.split(',') } : {}) }
}

const cluster = await startCluster(options())
for (const pair of values.fund ?? []) {
  const [to = '', lamports = ''] = pair.split('=')
  cluster.fund(to, BigInt(lamports))
}

const text = (value: unknown) =>
  JSON.stringify(value, (_, v) => {
    if (typeof v === 'bigint') return String(v)
    return v instanceof Map ? Object.fromEntries(v) : v
  }) ?? 'null'

async function call(path: string, args: unknown[]): Promise<unknown> {
  const names = path.split('.')
  let owner: unknown = cluster
  for (const name of names.slice(0, -1)) owner = Reflect.get(owner as object, name)
  const member: unknown = Reflect.get(owner as object, names.at(-1) ?? '')
  if (typeof member !== 'function') return member
  const result: unknown = await Reflect.apply(member, owner, args)
  // A saved chain stays here: `restore` takes the last one.
  return path === 'save' ? null : result
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
  const nodes = cluster.nodes.map(({ name, url, wsUrl }) => ({ name, url, wsUrl }))
  const regions = cluster.regions.map(({ name, url, tipFloorUrl }) => ({ name, url, tipFloorUrl }))
  console.log(text({ nodes, regions, control: `http://127.0.0.1:${port}`, pid: process.pid }))
})

async function end(): Promise<void> {
  await cluster.close()
  process.exit(0)
}

if (values['until-stdin-ends']) process.stdin.resume().on('end', end)
process.on('SIGTERM', end)
process.on('SIGINT', end)
