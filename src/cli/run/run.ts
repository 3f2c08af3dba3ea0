import type { Batch, Element, Infer, Run, StartOptions } from '../../../index.js'
import { VeloxError } from '../../errors/velox-error.js'
import { history } from '../../report/history.js'
import { checkWritable, writeReport } from '../../report/write.js'
import { isRight } from '../right.js'
import { Asked } from './asked.js'
import type { RunOptions } from './command.js'
import { load } from './load.js'
import { show } from './shown.js'

/** 64 bits that a JavaScript number can't hold are told as text. */
const exact = (_: string, value: unknown): unknown =>
  typeof value !== 'bigint' ? value : Number.isSafeInteger(Number(value)) ? Number(value) : String(value)

/** What a pipeline without an end of its own gives; undefined where it has one. */
function batchesOf(run: Run<Element>): AsyncIterable<Batch<Element>> | undefined {
  try {
    return run.batches()
  } catch (error) {
    if (error instanceof VeloxError) return undefined
    throw error
  }
}

/** Every record as a line, as fast as the output takes them. */
async function print(batches: AsyncIterable<Batch<Element>>): Promise<void> {
  for await (const batch of batches) {
    const lines = batch.toArray().map((record: Infer<Element>) => `${JSON.stringify(record, exact)}\n`)
    if (!process.stdout.write(lines.join(''))) await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}

/** `velox run`; gives the exit code. */
export async function run(o: RunOptions): Promise<number> {
  if (o.report !== undefined) await checkWritable(o.report)
  const pipeline = await load(o.file, o.words)
  const placed: StartOptions = {
    ...(o.threads !== undefined && { threads: o.threads }),
    ...(o.wait && { wait: o.wait }),
  }
  if (o.explain) {
    const text = pipeline.explain(placed)
    console.log(o.json ? JSON.stringify({ explain: text }) : text)
    return 0
  }
  const asked = new Asked()
  const timer = o.seconds === undefined ? undefined : setTimeout(asked.end, o.seconds * 1000)
  const started = await pipeline.start({ ...placed, stopOn: asked.stopOn, signal: asked.signal })
  const recorded = o.report === undefined ? undefined : history(started)
  const batches = batchesOf(started)
  // The output has one owner: records, or what is drawn.
  const shown = batches ? print(batches) : o.json ? undefined : show(started, asked)
  const [ended, written] = await Promise.allSettled([
    Promise.all([started.done(), shown]),
    // Of a run that fails too: then it is asked for most.
    recorded?.settled().then((settled) => writeReport(o.report as string, settled)),
  ])
  clearTimeout(timer)
  if (ended.status === 'rejected') throw ended.reason
  const [report] = ended.value
  const text = o.json ? JSON.stringify(report) : String(report)
  const out = batches ? process.stderr : process.stdout
  out.write(`${text}\n`)
  if (written.status === 'rejected') throw written.reason
  return isRight(report) ? 0 : 1
}
