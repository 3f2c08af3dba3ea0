import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { arrived, textOf } from '../errors/crossing.js'
import { native } from '../native.js'
import { DIST } from '../place.js'
import { loaderFlags } from './loader-flags.js'
import type { HostData, HostMessage } from './worker.js'

/** A script's stage in a plan: where its worker finds it, and its parameters. */
export interface ScriptPlan {
  readonly url: string
  readonly params: Readonly<Record<string, number>>
}

/** So long a worker may take to close its stages once its run is over. */
const GRACE_MILLIS = 800
/** How often a run is looked at whether it has failed: what ends natively tells nobody while a worker is still at work. */
const LOOK_MILLIS = 100

/** What a script failed of, and in which stage. */
export interface Thrown {
  readonly error: unknown
  readonly stage: string
}

/** The workers of a run: one for each of its threads that has scripts. */
export class Hosts {
  /** All are ready, and the run goes; or one has failed, and the run ends. */
  readonly ready: Promise<void>
  /** All have exited. */
  readonly ended: Promise<void>
  /** The first that went wrong. */
  thrown: Thrown | undefined
  readonly #run: number
  /** The slot is this run's as long as it lives. */
  readonly #owner: object
  readonly #workers: Worker[] = []
  /** The stage that each worker opens, before it is ready, and a look at what it has told since. */
  readonly #opening = new Map<Worker, { readonly stage: string; readonly look: () => void }>()
  #stops = false
  #aborted = false
  #terminated = false

  constructor(owner: object, run: number, scripts: ReadonlyMap<string, ScriptPlan>) {
    this.#run = run
    this.#owner = owner
    const hosted = JSON.parse(native.runHosted(run)) as { token: number; stages: string[] }[]
    const ready: Promise<void>[] = []
    const ended: Promise<void>[] = []
    for (const { token, stages } of hosted) {
      const own = stages.flatMap((name) => {
        const script = scripts.get(name)
        return script ? [{ name, ...script }] : []
      })
      const [isReady, hasEnded] = this.#start(token, own)
      ready.push(isReady)
      ended.push(hasEnded)
    }
    this.ready = Promise.all(ready).then(() => native.runGo(run))
    this.ended = Promise.all(ended).then(() => {})
    const look = setInterval(() => {
      if (!native.runAborted(run)) return
      clearInterval(look)
      this.end()
    }, LOOK_MILLIS)
    void this.ended.then(() => {
      clearInterval(look)
      void this.#owner
    })
  }

  #start(token: number, stages: HostData['stages']): [ready: Promise<void>, ended: Promise<void>] {
    // A port of its own: a stage may use its worker's for what it likes.
    const { port1, port2 } = new MessageChannel()
    const workerData: HostData = { token, stages, port: port2 }
    const worker = new Worker(new URL('stage/worker.js', DIST), {
      workerData,
      transferList: [port2],
      execArgv: loaderFlags(),
    })
    this.#workers.push(worker)
    let ready = () => {}
    const isReady = new Promise<void>((resolve) => {
      ready = resolve
    })
    let isFinished = false
    let uncaught: unknown
    const take = (message: HostMessage) => {
      if (message.kind === 'uncaught') {
        uncaught = arrived(message.error)
        return
      }
      if (message.kind === 'opening') {
        this.#opening.set(worker, { stage: message.stage, look: takeRest })
        if (this.#stops) this.#limit(worker)
        return
      }
      this.#opening.delete(worker)
      if (message.kind === 'failed') this.#fail({ ...message, error: arrived(message.error) })
      if (message.kind === 'closed') {
        isFinished = true
        // A timer or a socket that a stage left open must not keep it.
        void worker.terminate()
      }
      ready()
    }
    port1.on('message', take)
    /** What it told last may not have come yet. */
    const takeRest = () => {
      for (let last = receiveMessageOnPort(port1); last; last = receiveMessageOnPort(port1)) take(last.message)
    }
    // A worker that ends without a word was at one of its stages; once all are open, it can't say any more which.
    const stage = () => this.#opening.get(worker)?.stage ?? stages[0]?.name ?? ''
    worker.on('error', (error) => {
      takeRest()
      // One that a handler of the stage's own took may be of long before.
      this.#fail({ error: textOf(uncaught) === textOf(error) ? uncaught : error, stage: stage() })
    })
    const hasEnded = new Promise<void>((resolve) => {
      worker.on('exit', (code) => {
        takeRest()
        if (!isFinished && !this.#terminated)
          this.#fail({ error: new Error(`the worker of a stage exited with code ${code}`), stage: stage() })
        port1.close()
        ready()
        resolve()
      })
    })
    return [isReady, hasEnded]
  }

  #fail(thrown: Thrown & { late?: boolean }): void {
    // What comes of an abort is no failure: a worker that was on its way finds no thread to open.
    if (this.#aborted) return
    this.thrown ??= thrown
    // What fails when its stage is through must not cost the records that are still on their way.
    if (thrown.late) return
    native.runFail(this.#run, thrown.stage, textOf(thrown.error))
    this.end()
  }

  /** The run was stopped: that a stage gets ready is not waited for without end. */
  stop(): void {
    this.#stops = true
    for (const worker of this.#opening.keys()) this.#limit(worker)
  }

  #limit(worker: Worker): void {
    const before = this.#opening.get(worker)
    const fail = () => {
      // Where this thread was busy, what the worker told meanwhile is still on its way.
      before?.look()
      const opening = this.#opening.get(worker)
      if (!opening || opening !== before) return
      const what = `its module or its open() was not through ${GRACE_MILLIS} ms after the run was stopped`
      this.#fail({ error: new Error(what), stage: opening.stage })
      void worker.terminate()
    }
    // The worker keeps the process until then.
    setTimeout(fail, GRACE_MILLIS).unref()
  }

  /** The run was aborted. */
  abort(): void {
    this.#aborted = true
    this.end()
  }

  /** The run is over, or is to be: workers that don't come to their end by themselves are ended. */
  end(): void {
    const timer = setTimeout(() => {
      this.#terminated = true
      for (const worker of this.#workers) void worker.terminate()
    }, GRACE_MILLIS)
    void this.ended?.then(() => clearTimeout(timer))
  }
}
