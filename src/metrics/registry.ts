import type { registerMetrics as Face } from '../../metrics.js'
import { refuse, words } from '../errors/check.js'
import { native } from '../native.js'
import { Run } from '../pipeline/run.js'

/** A family as the native side tells it. */
interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: readonly { suffix: string; labels: readonly (readonly [string, string])[]; value: number }[]
}

/** What a registry asks for: `name` is its own to change. */
class Metric {
  name: string
  readonly help: string
  readonly type: Family['type']
  readonly #family: () => Family

  constructor({ name, help, type }: Family, family: () => Family) {
    this.name = name
    this.help = help
    this.type = type
    this.#family = family
  }

  get() {
    const { name, help, type } = this
    const values = this.#family().samples.map(({ suffix, labels, value }) => ({
      ...(suffix !== '' && { metricName: name + suffix }),
      labels: Object.fromEntries(labels),
      value,
    }))
    return { name, help, type, values, aggregator: 'sum' }
  }

  /** The numbers are the run's: nothing here can set them back. */
  reset(): void {}
}

export const registerMetrics: typeof Face = (run, registry) => {
  const slot = Run.slotOf(run)
  if (slot === undefined) return refuse('run', 'what start() of a pipeline gave', run)
  if (typeof registry?.registerMetric !== 'function' || typeof registry.getSingleMetric !== 'function')
    return refuse('registry', 'a registry of prom-client', registry)

  let taken: readonly Family[] | undefined
  /** One look for all metrics that are asked in one go. */
  const families = () => {
    if (!taken) {
      taken = JSON.parse(native.runFamilies(slot)) as Family[]
      queueMicrotask(() => {
        taken = undefined
      })
    }
    return taken
  }
  // In that format a counter's family goes by its name without _total, and there may be no other of that name.
  const isOpen = registry.contentType?.startsWith('application/openmetrics-text') === true
  const metrics = families().flatMap((family, i) =>
    isOpen && family.name === 'velox_transactions_dropped' ? [] : [new Metric(family, () => families()[i] as Family)],
  )
  const double = metrics.find(({ name }) => registry.getSingleMetric(name))
  if (double) refuse('registry', 'one without the metrics of a run', words(`one that has ${double.name}`))
  const names = metrics.map(({ name }) => name)
  for (const metric of metrics) registry.registerMetric(metric)
  return {
    close() {
      for (const name of names) registry.removeSingleMetric(name)
      // Held as long as somebody may ask.
      void run
    },
  }
}
