// The thread of a script's stages: one native call runs the native stages before and after them and waits when there is
// nothing to do; then a stage reads a batch in place and writes one in place.
import { setImmediate } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { L2Book } from '../book/l2-book.js'
import { refuse } from '../errors/check.js'
import { call, native } from '../native.js'
import { Instrument } from '../record/instrument.js'
import { isStage } from './define-stage.js'
import { ScriptedStage } from './scripted-stage.js'

/** What the thread that started the run tells. */
export interface HostData {
  readonly token: number
  readonly stages: readonly { name: string; url: string; params: Readonly<Record<string, number>> }[]
}

/** What this thread tells: that it is ready, or what it failed of. */
export type HostMessage = { kind: 'ready' } | { kind: 'failed'; error: unknown }

const COUNTS = 2 ** 20

function booksOf(host: number): Readonly<Record<string, L2Book>> {
  const books = JSON.parse(native.hostBooks(host)) as { name: string; slot: number; instrument: number }[]
  return Object.fromEntries(books.map((b) => [b.name, L2Book.of(b.slot, Instrument.of(b.instrument))]))
}

async function open(host: number, stages: HostData['stages']): Promise<Map<number, ScriptedStage>> {
  const books = booksOf(host)
  const opened = new Map<number, ScriptedStage>()
  for (const { name, url, params } of stages) {
    const { default: stage } = (await import(url)) as { default?: unknown }
    if (!isStage(stage)) refuse('stage', `a module whose default export is defineStage(import.meta, …): ${url}`, stage)
    const made = new ScriptedStage(host, name, stage, { params: Object.freeze({ ...params }), books })
    opened.set(made.index, made)
  }
  return opened
}

async function run(host: number, stages: ReadonlyMap<number, ScriptedStage>): Promise<void> {
  let answer: [kind: number, count: number] = [0, 0]
  for (;;) {
    const next = native.hostStep(host, answer[0], answer[1])
    if (next < 0) return
    answer = [0, 0]
    if (next === 0) await setImmediate()
    else answer = (stages.get(Math.floor(next / COUNTS)) as ScriptedStage).poll(next % COUNTS)
  }
}

const tell = (message: HostMessage) => parentPort?.postMessage(message)
const { token, stages } = workerData as HostData
const host = call(() => native.hostOpen(token))
try {
  const opened = await open(host, stages)
  tell({ kind: 'ready' })
  await run(host, opened)
  for (const stage of opened.values()) stage.close()
} catch (error) {
  tell({ kind: 'failed', error })
  native.hostFail(host, error instanceof Error ? error.message : String(error))
}
