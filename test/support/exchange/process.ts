import { startChild } from './child.js'
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

/** Starts a local exchange in a process of its own, so that what it costs doesn't count where a client is measured. */
export async function spawnExchange(options: ExchangeOptions): Promise<ExchangeProcess> {
  const { place, close, call } = await startChild('exchange', [JSON.stringify(options)])
  const own: Record<string, unknown> = { ...place, close, get: (name: string) => call(name, []) }
  return new Proxy(own, {
    get(target, name) {
      if (typeof name !== 'string' || name in target || name === 'then') return Reflect.get(target, name)
      return (...args: unknown[]) => call(name, args)
    },
  }) as unknown as ExchangeProcess
}
