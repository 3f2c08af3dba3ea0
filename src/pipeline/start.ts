import type { Element, Run as Face, StartOptions, Wait } from '../../index.js'
import { checkInteger, checkOptions, checkSignal, checkString, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { publishStats } from '../metrics/channel.js'
import { call, native } from '../native.js'
import { Hosts, type ScriptPlan } from '../stage/host.js'
import { refuseWhileImporting } from '../stage/importing.js'
import type { Nodes } from './nodes.js'
import { RunEnd } from './own-end.js'
import type { NodePlan, ParamUse, Plan, ThreadsPlan } from './plan.js'
import { type Outcome, Run, type RunParam, reasonText } from './run.js'
import { MarketSource } from './sources.js'

/** What can be said at a start. */
const START = ['threads', 'wait', 'metrics', 'stopOn', 'signal']
const WAITS: readonly Wait[] = ['spin', 'yield', 'backoff', 'block']

function checkWait(field: string, wait: Wait): Wait {
  return WAITS.includes(wait) ? wait : refuse(field, WAITS.map((w) => `'${w}'`).join(', '), wait)
}

function threadsOf(threads: StartOptions['threads']): ThreadsPlan {
  if (threads === undefined || threads === 'auto') return 'auto'
  if (typeof threads === 'number') return checkInteger('threads', threads, 1, 1024)
  if (!Array.isArray(threads)) return refuse('threads', "'auto', a number or a list of { stages }", threads)
  return threads.map((given: { core?: number; stages: readonly string[]; wait?: Wait }) => {
    checkOptions(given, ['core', 'stages', 'wait'], 'threads')
    if (!Array.isArray(given.stages)) refuse('threads.stages', 'a list of names', given.stages)
    if (given.core !== undefined) checkInteger('threads.core', given.core, 0, 4095)
    if (given.wait !== undefined) checkWait('threads.wait', given.wait)
    return { ...given, stages: given.stages.map((name) => checkString('threads.stages', name)) }
  })
}

const taken = new WeakSet<object>()

/** An iterator gives its values once: a second run of it would be empty and say nothing. */
function takeOnce(values: object): void {
  if (typeof (values as { next?: unknown }).next !== 'function') return
  if (taken.has(values)) refuse('values', 'an iterable that can be gone through again, such as an array', values)
  taken.add(values)
}

/** What a start makes of the declaration: the plan, and the ends of the run on this thread. */
function planOf(
  nodes: Nodes,
  how: Pick<Plan, 'threads' | 'wait' | 'metrics'>,
): { plan: Plan; ends: RunEnd[]; params: RunParam[] } {
  const ends: RunEnd[] = []
  const params: RunParam[] = []
  const place = (use: ParamUse, stage: string | undefined) => {
    const known = params.find((p) => p.name === use.name && p.stage === stage)
    if (known && known.initial !== use.initial)
      refuse('param', `one initial value for ${use.name}: ${known.initial}`, use.initial)
    return known ? params.indexOf(known) : params.push({ ...use, ...(stage !== undefined && { stage }) }) - 1
  }
  const plan = nodes.all.map(({ own, params: uses = [], ...node }): NodePlan => {
    const stage = node.kind === 'stage' ? node.name : undefined
    const made = { ...node, params: uses.map((use) => place(use, stage)) } as NodePlan
    if (!own) return made
    if (own.use.kind === 'iterable') takeOnce(own.use.values)
    const end = new RunEnd(node.name, own)
    ends.push(end)
    return { ...made, ring: end.ringSlot, bell: end.bell, drops: end.drops } as NodePlan
  })
  return { plan: { name: nodes.name, nodes: plan, params, ...how }, ends, params }
}

/** How a run is to go. */
export function howOf(o: StartOptions, what: string): Pick<Plan, 'threads' | 'wait' | 'metrics'> {
  checkOptions(o, START, what)
  const { wait = 'backoff', metrics = true } = o
  if (typeof metrics !== 'boolean') refuse('metrics', 'true or false', metrics)
  checkSignal('stopOn', o.stopOn)
  checkSignal('signal', o.signal)
  return { threads: threadsOf(o.threads), wait: checkWait('wait', wait), metrics }
}

/** Starts a declaration; the run keeps the objects that its slots belong to. */
export async function start<T extends Element>(type: T, nodes: Nodes, o: StartOptions): Promise<Face<T>> {
  const how = howOf(o, 'start')
  refuseWhileImporting()
  const { stopOn, signal } = o
  if (signal?.aborted)
    throw new VeloxError('VELOX_RUN_ABORTED', { reason: reasonText(signal.reason) }, { cause: signal.reason })
  const { plan, ends, params } = planOf(nodes, how)
  const { promise, resolve } = withResolvers<Outcome>()
  const slot = call(() => native.pipelineStart(JSON.stringify(plan), (outcome) => resolve(JSON.parse(outcome))))
  const run = new Run(type, slot, promise, { name: nodes.name, objects: nodes.objects, ends, params })
  publishStats(nodes.name, run, promise)
  const stop = () => void run.stop()
  follow(stopOn, promise, stop)
  for (const object of nodes.objects) if (object instanceof MarketSource) follow(object.signal, promise, stop)
  follow(signal, promise, () => run.abort(signal?.reason))
  const scripts = new Map<string, ScriptPlan>()
  for (const node of plan.nodes) if (node.kind === 'stage') scripts.set(node.name, node.script)
  if (scripts.size > 0) {
    try {
      await run.host(new Hosts(run, slot, scripts))
    } catch (error) {
      run.abort(error)
      throw error
    }
    // What fails, or is aborted, before the source goes is told here, and not to whoever asks for the end.
    if (run.failed || signal?.aborted) await run.done()
  }
  return run
}

/** Acts on a signal as long as the run goes: a signal that outlives many runs holds none of them. */
function follow(signal: AbortSignal | undefined, ended: Promise<unknown>, act: () => void): void {
  if (!signal) return
  if (signal.aborted) act()
  else signal.addEventListener('abort', act, { once: true })
  void ended.then(() => signal.removeEventListener('abort', act))
}

function withResolvers<R>(): { promise: Promise<R>; resolve: (value: R) => void } {
  let resolve!: (value: R) => void
  const promise = new Promise<R>((r) => {
    resolve = r
  })
  return { promise, resolve }
}
