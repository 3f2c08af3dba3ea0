// The thread of a script's stages: one native call runs the native stages before and after them and waits when there is
// nothing to do; then a stage reads a batch in place and writes one in place.
import { setImmediate } from 'node:timers/promises'
import { type MessagePort, workerData } from 'node:worker_threads'
import { L2Book } from '../book/l2-book.js'
import { type Crossing, crossing, textOf } from '../errors/crossing.js'
import { typescriptRefused } from '../errors/typescript-refused.js'
import { call, native } from '../native.js'
import { Instrument } from '../record/instrument.js'
import { stageOf } from './define-stage.js'
import { importing } from './importing.js'
import { ScriptedStage } from './scripted-stage.js'

/** What the thread that started the run tells. */
export interface HostData {
  readonly token: number
  readonly stages: readonly { name: string; url: string; params: Readonly<Record<string, number>> }[]
  readonly port: MessagePort
}

/**
 * What this thread tells: which stage it opens, that it is ready, what nobody has caught so far, what it failed of
 * (`late`: when its part was through), that it has closed.
 */
export type HostMessage =
  | { kind: 'opening'; stage: string }
  | { kind: 'ready' }
  | { kind: 'uncaught'; error: Crossing }
  | { kind: 'failed'; error: Crossing; stage: string; late: boolean }
  | { kind: 'closed' }

const COUNT_BITS = 20

/** Where a step takes the answer from, and where it leaves what is next. */
const ANSWER = 0
const NEXT = 2

const { token, stages, port } = workerData as HostData
/** By their numbers, counted from the source. */
const opened: ScriptedStage[] = []
/** The stage that is at work, for what it throws. */
let at = stages[0]?.name ?? ''

function booksOf(host: number): Readonly<Record<string, L2Book>> {
  const books = JSON.parse(native.hostBooks(host)) as { name: string; slot: number; instrument: number }[]
  return Object.fromEntries(books.map((b) => [b.name, L2Book.of(b.slot, Instrument.of(b.instrument))]))
}

async function open(host: number): Promise<void> {
  const books = booksOf(host)
  for (const { name, url, params } of stages) {
    at = name
    tell({ kind: 'opening', stage: name })
    const load = () => import(url) as Promise<{ default?: unknown }>
    const { default: stage } = await importing(load).catch((error: unknown) => {
      throw typescriptRefused('stage', url, error)
    })
    const made = new ScriptedStage(host, name, stageOf(url, stage), { params, books: () => books })
    opened[made.index] = made
  }
}

async function run(host: number): Promise<void> {
  const cells = new Int32Array(new SharedArrayBuffer(16))
  const step = call(() => native.hostBind(host, new Uint8Array(cells.buffer)))
  while (steps(step, cells)) await setImmediate()
}

/** Steps on until the event loop has its turn (true) or all is over. A loop that is left by an await is compiled anew. */
function steps(step: () => void, cells: Int32Array): boolean {
  cells[ANSWER] = 0
  for (;;) {
    step()
    const next = cells[NEXT] as number
    if (next <= 0) return next === 0
    const stage = opened[next >> COUNT_BITS] as ScriptedStage
    at = stage.name
    cells[ANSWER] = stage.poll(next & (2 ** COUNT_BITS - 1))
  }
}

const tell = (message: HostMessage) => port.postMessage(message)
const fail = (error: unknown, stage: string, late: boolean) =>
  tell({ kind: 'failed', error: crossing(error), stage, late })
// What ends this thread by itself is handed on by the runtime, with less of it.
process.on('uncaughtExceptionMonitor', (error) => tell({ kind: 'uncaught', error: crossing(error) }))
const host = call(() => native.hostOpen(token))
try {
  await open(host)
  tell({ kind: 'ready' })
  await run(host)
} catch (error) {
  fail(error, at, false)
  native.hostFail(host, at, textOf(error))
}
for (const stage of opened.filter(Boolean)) {
  try {
    await stage.close()
  } catch (error) {
    fail(error, stage.name, true)
  }
}
// A promise that was rejected and that nobody waited for is told by the runtime in a turn of its own.
await setImmediate()
// Being closed ends this thread, and with it what is still on its way to be printed.
for (const stream of [process.stdout, process.stderr]) {
  if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
tell({ kind: 'closed' })
