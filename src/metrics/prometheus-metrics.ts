import type { PrometheusMetrics as Face } from '../../index.js'
import { checkTime } from '../errors/check.js'
import { call, native, owned } from '../native.js'

export class PrometheusMetrics implements Face {
  readonly #slot: number = owned(this, native.transactionsNew())

  recordTransaction(latencyNanos: number | bigint): void {
    native.transactionsRecord(this.#slot, checkTime('latencyNanos', latencyNanos))
  }

  recordDrop(): void {
    native.transactionsDrop(this.#slot)
  }

  export(): string {
    return call(() => native.transactionsExport(this.#slot))
  }
}
