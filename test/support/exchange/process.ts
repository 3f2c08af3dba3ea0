import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Exchange } from './exchange.js'
import type { ExchangeOptions } from './options.js'

/** The exchange's methods, called from another process; big integers come back as text. */
type Remote = {
  readonly [K in keyof Exchange as Exchange[K] extends (...args: never[]) => unknown
    ? K & string
    : never]: Exchange[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<AsJson<Awaited<R>>> : never
}

type AsJson<T> = T extends bigint ? string : T extends object ? { [K in keyof T]: AsJson<T[K]> } : T

export interface ExchangeProcess extends Remote {
  readonly url: string
  readonly restUrl: string
  readonly caFile?: string
  readonly symbols: readonly string[]
  readonly pid: number
  /** A property of the exchange: `counts`, `clients`, `pendingFaults`. */
  get<K extends 'counts' | 'clients' | 'pendingFaults'>(name: K): Promise<Exchange[K]>
  /** Ends the process. */
  close(): Promise<void>
}

/** The folder of package.json, from the sources and from the build alike. */
function root(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** The compiled program; compiled now, unless it runs as such. */
function program(): string {
  const folder = root()
  if (!import.meta.url.endsWith('.ts')) return fileURLToPath(new URL('main.js', import.meta.url))
  const tsc = join(folder, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', 'test/support/exchange'], { cwd: folder })
  if (status !== 0) throw new Error(`the exchange does not compile: ${stdout}`)
  return join(folder, 'build/exchange/main.js')
}

async function start(options: ExchangeOptions): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [program(), JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const line = once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')
  const early = once(child, 'exit').then(([code]) => {
    throw new Error(`the exchange ended with ${code} before it said where it is`)
  })
  const [text] = (await Promise.race([line, early])) as [string]
  early.catch(() => {})
  return [child, text]
}

/** Starts a local exchange in a process of its own, so that what it costs doesn't count where a client is measured. */
export async function spawnExchange(options: ExchangeOptions): Promise<ExchangeProcess> {
  const [child, text] = await start(options)
  const { control, ...place } = JSON.parse(text) as { control: string } & Record<string, unknown>
  const call = async (name: string, args: readonly unknown[]) => {
    const response = await fetch(`${control}/${name}`, { method: 'POST', body: JSON.stringify(args) })
    const body: unknown = await response.json()
    if (!response.ok) throw new Error(String(body))
    return body
  }
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.stdin?.end()
    await ended
  }
  const own: Record<string, unknown> = { ...place, close, get: (name: string) => call(name, []) }
  return new Proxy(own, {
    get(target, name) {
      if (typeof name !== 'string' || name in target || name === 'then') return Reflect.get(target, name)
      return (...args: unknown[]) => call(name, args)
    },
  }) as unknown as ExchangeProcess
}
