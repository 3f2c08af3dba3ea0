import type { Outcome } from '../../solana.js'
import { StageMetrics } from '../metrics/stage-metrics.js'
import type { Attempt } from './attempt.js'

/** How many submissions became what. */
export class Totals {
  readonly metrics: StageMetrics
  built = 0
  refused = 0
  simulated = 0
  spentLamports = 0n
  readonly ended = { landed: 0, failed: 0, expired: 0 }

  constructor(name: string) {
    this.metrics = new StageMetrics(name)
  }

  refuse(): void {
    this.refused++
    this.metrics.recordDrop()
  }

  end(attempt: Attempt, outcome: Exclude<Outcome, { state: 'simulated' }>): void {
    this.ended[outcome.state]++
    if (outcome.state !== 'expired') this.spentLamports += outcome.spentLamports
    if (outcome.state !== 'landed') this.metrics.recordError()
    // What a restart took over was built by another process, at another time.
    else if (!attempt.of.resumed) this.metrics.recordProcessing(Math.round((performance.now() - attempt.builtAt) * 1e6))
  }

  get inFlight(): number {
    const { landed, failed, expired } = this.ended
    return this.built - landed - failed - expired
  }
}
