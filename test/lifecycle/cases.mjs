// How a run's process or worker can end, in which state of the run, for which kinds of run: one child process a case.
// Used by the test (three times each) and by scripts/soak-lifecycle.mjs (often, and on other runtimes).
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('./child.mjs', import.meta.url))
const HANG_MILLIS = 60_000

/** What runs: native stages only; a stage in a worker; a tap and `batches()` on the main thread. */
export const KINDS = ['native', 'stage', 'main']
/** The source gives nothing; the end comes while a batch is being read; the last ring is full and nobody reads it. */
export const STATES = ['idle', 'mid-batch', 'full ring']

/** The text of the exception that nobody catches. */
export const UNCAUGHT = 'the end of this case'

const clean = (stderr) => (stderr === '' ? undefined : `stderr: ${stderr}`)

/** What the runtimes' reports of an exception are made of: its place, the source there, its text, the stack, a version. */
const REPORT = [
  /^$/,
  /^file:.*\/child\.mjs:\d+$/,
  /^\d+ \| /,
  /^ +throw new Error\(UNCAUGHT\)$/,
  /^ +\^$/,
  /^((error: )?(Uncaught )?(\(in promise\) )?(Error|error)): the end of this case$/,
  /^ +at /,
  /^(Node\.js|Bun) v/,
]

/** The report of the exception, once, and nothing else. */
function reported(stderr) {
  const lines = stderr.split('\n')
  const odd = lines.filter((line) => !REPORT.some((part) => part.test(line)))
  if (odd.length > 0) return `stderr has more than the exception's report: ${odd.join(' | ')}`
  const times = lines.filter((line) => line.endsWith(`rror: ${UNCAUGHT}`)).length
  return times === 1 ? undefined : `stderr tells of the exception ${times} times: ${stderr}`
}

/**
 * Each way to end: the exit code or the signal that are expected, what the child says in order, and what stderr may hold.
 * SIGINT without a handler ends a process by the signal itself, which a shell shows as 130.
 */
export const ENDS = {
  'process.exit': { status: 7, signal: null, says: ['reached', 'closing'], stderr: clean },
  SIGINT: { status: null, signal: 'SIGINT', says: ['reached', 'closing'], stderr: clean },
  'SIGINT handled': { status: 130, signal: null, says: ['reached', 'closing', 'closed'], stderr: clean },
  'uncaught exception': { status: 1, signal: null, says: ['reached', 'closing'], stderr: reported },
  'worker.terminate': { status: 0, signal: null, says: ['reached', 'closing', 'closed'], stderr: clean },
  'natural end': { status: 0, signal: null, says: ['reached', 'closing', 'closed'], stderr: clean },
}

export const CASES = Object.keys(ENDS).flatMap((end) =>
  STATES.flatMap((state) => KINDS.map((kind) => ({ end, state, kind }))),
)

/** The Node that runs this. */
export const INSTALLED = { name: 'Node', command: process.execPath, args: [] }

/** Runs a case once, in a process of its own; gives what is wrong with how it ended, undefined where nothing is. */
export function once({ end, state, kind }, runtime = INSTALLED) {
  return new Promise((resolve) => {
    const child = spawn(runtime.command, [...runtime.args, CHILD, kind, state, end], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    })
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'])
      child[name].on('data', (data) => {
        texts[name] += data
      })
    let hung = false
    const guard = setTimeout(() => {
      hung = true
      child.kill('SIGKILL')
    }, HANG_MILLIS)
    child.on('error', (error) => resolve(error.message))
    child.on('close', (status, signal) => {
      clearTimeout(guard)
      const { stdout, stderr } = texts
      const expected = ENDS[end]
      const said = stdout.split('\n').slice(0, -1)
      if (hung) resolve(`no end within ${HANG_MILLIS / 1000} s; it said ${said.join(', ')} ${stderr}`)
      else if (status !== expected.status || signal !== expected.signal)
        resolve(`exit code ${status}, signal ${signal}; it said ${said.join(', ')} ${stderr}`)
      else if (said.join() !== expected.says.join()) resolve(`it said ${said.join(', ')} ${stderr}`)
      else resolve(expected.stderr(stderr))
    })
  })
}

/** Does `work` for each item, `width` at a time. */
export async function inParallel(items, width, work) {
  const left = [...items]
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
