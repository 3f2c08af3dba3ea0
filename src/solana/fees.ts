import type { SubmitterOptions, TipSource, tipFloor as tipFloorFace } from '../../solana.js'
import { checkOptions, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { LEAST_TIP } from './checks.js'
import { httpRequest, targetOf } from './net/http.js'
import type { Pool } from './net/pool.js'
import { prioritizationFees } from './net/shapes.js'
import { checkUrl } from './rpc-options.js'
import { within } from './within.js'

const FEES_EVERY_MILLIS = 5_000
const TIPS_EVERY_MILLIS = 5_000
const LAMPORTS_PER_SOL = 1e9
const PERCENTILES = [25, 50, 75, 95, 99]
const TIP_FLOOR_URL = 'https://bundles.jito.wtf/api/v1/bundles/tip_floor'

/** A value that is looked up every so often, when it is asked for; while a look-up fails, the last one stays. */
class Lately {
  readonly #look: () => Promise<bigint>
  readonly #everyMillis: number
  #value: bigint | undefined
  #nextAt = 0
  #looking: Promise<void> | undefined

  constructor(look: () => Promise<bigint>, everyMillis: number) {
    this.#look = look
    this.#everyMillis = everyMillis
  }

  async value(): Promise<bigint> {
    if (performance.now() >= this.#nextAt) {
      this.#looking ??= this.#look()
        .then((value) => {
          this.#value = value
        })
        .finally(() => {
          this.#nextAt = performance.now() + (this.#value === undefined ? 0 : this.#everyMillis)
          this.#looking = undefined
        })
      // Only the first one is waited for.
      if (this.#value === undefined) await this.#looking
      else this.#looking.catch(() => {})
    }
    return this.#value as bigint
  }
}

const least = (a: bigint, b: bigint) => (a < b ? a : b)
const greatest = (a: bigint, b: bigint) => (a < b ? b : a)

/** The price of a compute unit, in micro-lamports. */
export function priorityFees(fee: NonNullable<SubmitterOptions['priorityFee']>, pool: Pool): () => Promise<bigint> {
  if (typeof fee === 'bigint') return async () => fee
  const { percentile, max, accounts = [] } = fee
  const lately = new Lately(async () => {
    const o = { priority: 'status', read: prioritizationFees } as const
    const answer = await pool.ask('getRecentPrioritizationFees', [accounts], o)
    if (!answer.ok) throw answer.error
    const fees = answer.result.toSorted((a, b) => a - b)
    return BigInt(fees[Math.min(fees.length - 1, Math.floor((fees.length * percentile) / 100))] ?? 0)
  }, FEES_EVERY_MILLIS)
  return async () => least(await lately.value(), max)
}

/** The tip of a bundle, in lamports. */
export function tips(
  tip: NonNullable<SubmitterOptions['tip']>,
  mostMillis: number,
  signal: AbortSignal,
): () => Promise<bigint> {
  if (typeof tip === 'bigint') return async () => tip
  const lately = new Lately(() => within(mostMillis, 'the tip source', tip.source({ signal })), TIPS_EVERY_MILLIS)
  return async () => {
    return greatest(least(await lately.value(), tip.max), LEAST_TIP)
  }
}

export const tipFloor: typeof tipFloorFace = (o = {}): TipSource => {
  checkOptions(o, ['url', 'percentile'], 'tipFloor')
  const { url = TIP_FLOOR_URL, percentile = 50 } = o
  checkUrl('url', url, ['http:', 'https:'])
  if (!PERCENTILES.includes(percentile)) refuse('percentile', `one of ${PERCENTILES.join(', ')}`, percentile)
  const { origin } = new URL(url)
  const target = targetOf(url)
  const failed = (reason: string, status?: number) =>
    new VeloxError('VELOX_RPC_FAILED', {
      url: origin,
      method: 'tip floor',
      reason,
      ...(status !== undefined && { status }),
    })
  return async ({ signal }) => {
    const { status, text } = await httpRequest(target, { timeoutMillis: 5_000, signal }).catch((error: Error) => {
      throw failed(error.message)
    })
    if (status !== 200) throw failed('no list', status)
    const sol = solOf(text, percentile)
    if (sol === undefined) throw failed(`a list without landed_tips_${percentile}th_percentile`, status)
    return BigInt(Math.ceil(sol * LAMPORTS_PER_SOL))
  }
}

function solOf(text: string, percentile: number): number | undefined {
  try {
    const [first] = JSON.parse(text) as readonly Record<string, unknown>[]
    const sol = first?.[`landed_tips_${percentile}th_percentile`]
    return typeof sol === 'number' && Number.isFinite(sol) && sol >= 0 ? sol : undefined
  } catch {
    return undefined
  }
}
