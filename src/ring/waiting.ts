import { isMainThread } from 'node:worker_threads'
import type { Batch, Element } from '../../index.js'
import { checkCount, checkOptions, checkSignal, refuse, words } from '../errors/check.js'
import type { Bell } from './bell.js'

/** What waiting needs of a ring. */
export interface Waited<T extends Element> {
  readonly isEmpty: boolean
  readonly isClosed: boolean
  readonly capacity: number
  drain(read: (batch: Batch<T>) => void, max: number): number
  lend(max: number): Batch<T> | undefined
  giveBack(): void
}

/** Drains as soon as there is something, for as long as the time lasts. Blocks the thread. */
export function drainWait<T extends Element>(
  ring: Waited<T>,
  bell: Bell,
  read: (batch: Batch<T>) => void,
  o: { timeoutMicros: number; max?: number },
): number {
  checkOptions(o, ['timeoutMicros', 'max'], 'drainWait')
  const { timeoutMicros, max = ring.capacity } = o
  const isTime = typeof timeoutMicros === 'number' && timeoutMicros >= 0
  if (!isTime) refuse('timeoutMicros', 'a number, 0 or more', timeoutMicros)
  if (isMainThread) refuse('drainWait', 'a worker', words('the main thread, which it would block'))
  const isReady = () => !ring.isEmpty || ring.isClosed
  const end = performance.now() + timeoutMicros / 1_000
  for (;;) {
    // Before the look into the ring: what was pushed before it was closed is seen by that look.
    const closed = ring.isClosed
    const drained = ring.drain(read, max)
    const left = end - performance.now()
    if (drained > 0 || max === 0 || closed || left <= 0) return drained
    bell.sleep(left, isReady)
  }
}

/** Batches as they come, until the ring is closed and empty or the signal says so; each is valid until the next. */
export async function* batches<T extends Element>(
  ring: Waited<T>,
  bell: Bell,
  o: { signal?: AbortSignal | undefined; max?: number },
): AsyncGenerator<Batch<T>> {
  checkOptions(o, ['signal', 'max'], 'batches')
  const { signal, max = ring.capacity } = o
  checkSignal('signal', signal)
  if (checkCount('max', max) === 0) refuse('max', '1 or more', max)
  let up = () => {}
  const stop = () => up()
  signal?.addEventListener('abort', stop)
  try {
    while (!signal?.aborted) {
      // As in `drainWait`.
      const closed = ring.isClosed
      const batch = ring.lend(max)
      if (batch) {
        try {
          yield batch
        } finally {
          ring.giveBack()
        }
      } else if (closed) return
      else {
        const isReady = () => !ring.isEmpty || ring.isClosed || signal?.aborted === true
        await bell.sleepAsync(isReady, (wake) => {
          up = wake
        })
      }
    }
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
