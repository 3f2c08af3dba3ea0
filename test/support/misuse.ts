// The pipelines that are misused, and how it is told.
import { count, L2Book, type Pipeline, pipeline, poisson, type Trade, type VeloxErrorCode } from 'velox-engine'
import { expect } from 'vitest'
import { expectCode, rejected } from './errors.js'

export const source = () => poisson({ perSecond: 1e6, count: 1_000, pace: 'max' })
export const events = () => pipeline('p').from(source())
export const trades = () => events().trades()
export const endless = () =>
  pipeline('p')
    .from(poisson({ perSecond: 1_000 }))
    .trades()
export const book = () => new L2Book({ instrument: source().instrument() })

export type Misuse = [what: () => unknown, text: string, code?: VeloxErrorCode]

/** Each is refused as it is declared. */
export function refused(cases: readonly Misuse[]): void {
  for (const [what, text, code = 'VELOX_INVALID_VALUE'] of cases) expectCode(what, code, text)
}

/** Each is refused by `start`. */
export async function refusedAtStart(cases: readonly Misuse[]): Promise<void> {
  for (const [what, text, code = 'VELOX_INVALID_VALUE'] of cases) {
    const error = await rejected((what() as Pipeline<typeof Trade>).to(count()).start())
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)])
  }
}

type Filter = Parameters<ReturnType<typeof trades>['filter']>[0]
export const filter = (e: Filter) => () => trades().filter(e)
