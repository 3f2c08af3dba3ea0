import type { Outcome } from '../../solana.js'
import { VeloxError } from '../errors/velox-error.js'
import type { Signed } from './attempt.js'
import type { Pool } from './net/pool.js'
import { simulation } from './net/shapes.js'

type Result =
  | Pick<Extract<Outcome, { state: 'simulated' }>, 'state' | 'unitsConsumed' | 'logs'>
  | Pick<Extract<Outcome, { state: 'failed' }>, 'state' | 'error' | 'spentLamports'>

/** What a node says would become of transactions now, each for itself. */
export async function dryRun(pool: Pool, transactions: readonly Signed[]): Promise<Result> {
  let unitsConsumed = 0n
  const logs: string[] = []
  for (const { base64, signature } of transactions) {
    const config = { encoding: 'base64', commitment: 'confirmed', sigVerify: true }
    const answer = await pool.ask('simulateTransaction', [base64, config], { priority: 'send', read: simulation })
    if (!answer.ok) return { state: 'failed', error: answer.error, spentLamports: 0n }
    const { err, logs: said, units } = answer.result
    if (err !== null) {
      const context = { signature, reason: JSON.stringify(err) }
      const error = new VeloxError('VELOX_TRANSACTION_FAILED', context, { cause: new Error(said.join('\n')) })
      return { state: 'failed', error, spentLamports: 0n }
    }
    unitsConsumed += BigInt(units)
    logs.push(...said)
  }
  return { state: 'simulated', unitsConsumed, logs }
}
