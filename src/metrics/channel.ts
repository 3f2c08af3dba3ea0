import { channel } from 'node:diagnostics_channel'
import type { Stats } from '../../index.js'

const STATS = channel('velox-engine:stats')
const EVERY_MILLIS = 1000

/**
 * Publishes a run's stats once a second and at its end, where somebody listens: without, a look a second whether somebody
 * does. Neither keeps the process alive, nor the run.
 */
export function publishStats(name: string, run: { now(): Stats }, ended: Promise<unknown>): void {
  const held = new WeakRef(run)
  const publish = (isOver: boolean) => {
    if (!STATS.hasSubscribers) return
    const stats = held.deref()?.now()
    if (stats) STATS.publish({ run: name, ended: isOver, stats })
  }
  const timer = setInterval(() => (held.deref() ? publish(false) : clearInterval(timer)), EVERY_MILLIS)
  timer.unref()
  void ended.then(() => {
    clearInterval(timer)
    publish(true)
  })
}
