import type { Outcome } from '../../solana.js'
import { VeloxError } from '../errors/velox-error.js'
import type { Signed } from './attempt.js'
import type { Pool } from './net/pool.js'

interface Simulated {
  readonly value: { readonly err: unknown; readonly logs: readonly string[] | null; readonly unitsConsumed?: number }
}

type Result =
  | Pick<Extract<Outcome, { state: 'simulated' }>, 'state' | 'unitsConsumed' | 'logs'>
  | Pick<Extract<Outcome, { state: 'failed' }>, 'state' | 'error' | 'spentLamports'>

/** What a node says would become of transactions now, each for itself. */
export async function dryRun(pool: Pool, transactions: readonly Signed[]): Promise<Result> {
  let unitsConsumed = 0n
  const logs: string[] = []
  for (const { base64, signature } of transactions) {
    const config = { encoding: 'base64', commitment: 'confirmed', sigVerify: true }
    const answer = await pool.ask<Simulated>('simulateTransaction', [base64, config], 'send')
    if (!answer.ok) return { state: 'failed', error: answer.error, spentLamports: 0n }
    const { err, logs: said, unitsConsumed: units } = answer.result.value
    if (err !== null && err !== undefined) {
      const cause = said && new Error(said.join('\n'))
      const context = { signature, reason: JSON.stringify(err) }
      return {
        state: 'failed',
        error: new VeloxError('VELOX_TRANSACTION_FAILED', context, { cause }),
        spentLamports: 0n,
      }
    }
    unitsConsumed += BigInt(units ?? 0)
    logs.push(...(said ?? []))
  }
  return { state: 'simulated', unitsConsumed, logs }
}
