import type { Client } from './client.js'
import type { SyntheticMarket, Truth } from './market.js'
import type { Subscription } from './protocol.js'

/** Where an exchange's messages come from. */
export interface Source {
  readonly symbols: readonly string[]
  has(subscription: Subscription): boolean
  market(symbol: string): SyntheticMarket | undefined
  confirmation(key: string): string | undefined
  restBook(symbol: string, depth: number, isOld: boolean): Truth | string | undefined
  start(client: Client, subscription: Subscription): void
  stop(client: Client, key: string): void
  /** The client is gone. */
  forget(client: Client): void
  /** Until all that is to be played has been played. */
  finished(): Promise<void>
  close(): void
}
