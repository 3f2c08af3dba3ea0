import { Worker } from 'node:worker_threads'
import { native } from '../native.js'
import type { HostData, HostMessage } from './worker.js'

/** A script's stage in a plan: where its worker finds it, and its parameters. */
export interface ScriptPlan {
  readonly url: string
  readonly params: Readonly<Record<string, number>>
}

/**
 * Starts a worker for each thread of a run that has scripts, and lets the run go when all are ready. `failed` is told
 * what a script threw, before `ended`: the end of all workers.
 */
export function host(
  run: number,
  scripts: ReadonlyMap<string, ScriptPlan>,
  failed: (error: unknown) => void,
): { ready: Promise<void>; ended: Promise<void> } {
  const hosted = JSON.parse(native.runHosted(run)) as { token: number; stages: string[] }[]
  const ends: Promise<void>[] = []
  const ready = hosted.map(({ token, stages }) => {
    const own = stages.flatMap((name) => {
      const script = scripts.get(name)
      return script ? [{ name, ...script }] : []
    })
    const workerData: HostData = { token, stages: own }
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData, execArgv: [] })
    // The run keeps the process alive, not the worker that it has.
    worker.unref()
    ends.push(new Promise((resolve) => worker.once('exit', () => resolve())))
    return new Promise<void>((resolve) => {
      const fail = (error: unknown) => {
        failed(error)
        native.runAbort(run)
        resolve()
      }
      worker.on('message', (message: HostMessage) => (message.kind === 'ready' ? resolve() : fail(message.error)))
      worker.on('error', fail)
      worker.on('exit', () => resolve())
    })
  })
  return {
    ready: Promise.all(ready).then(() => native.runGo(run)),
    ended: Promise.all(ends).then(() => {}),
  }
}
