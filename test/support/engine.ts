import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Ended, node, root } from './node.js'

const index = new URL('../../dist/index.js', import.meta.url).href
export const velox: string = join(root, 'dist/cli/index.js')

export interface Engine {
  readonly pid: number
  readonly child: ChildProcess
  /** Ends the run as it should end, and the process. */
  stop(): Promise<void>
  kill(): Promise<void>
}

/** A run of some name in a process of its own, whose metrics lie in `folder`. */
export async function engine(folder: string, name: string): Promise<Engine> {
  const file = join(folder, 'engine.mjs')
  writeFileSync(
    file,
    `import { count, L2Book, pipeline, poisson } from ${JSON.stringify(index)}
    const market = poisson({ perSecond: 20_000 })
    const book = new L2Book({ instrument: market.instrument() })
    const run = await pipeline(process.argv[2]).from(market).book(book).trades().transactions().bundle().to(count('output')).start()
    process.on('message', async () => { await run.stop(); process.disconnect() })
    process.send('started')`,
  )
  const child = fork(file, [name], { env: { ...process.env, XDG_RUNTIME_DIR: folder } })
  const ended = once(child, 'exit')
  await once(child, 'message')
  return {
    pid: child.pid as number,
    child,
    async stop() {
      child.send('stop')
      await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** `velox` with these arguments, which looks for engines in `folder`. */
export const run = (folder: string, ...args: string[]): Promise<Ended> =>
  node([velox, ...args], { env: { XDG_RUNTIME_DIR: folder } })

/** The same while it goes: its lines one by one. */
export function watch(folder: string, ...args: string[]) {
  const child = spawn(process.execPath, [velox, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, XDG_RUNTIME_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    pid: child.pid as number,
    /** The next line that is so. */
    async until<T>(read: (line: string) => T, isSo: (value: T) => boolean): Promise<T> {
      for (;;) {
        const { value, done } = await lines.next()
        if (done) throw new Error('velox ended before')
        const found = read(value)
        if (isSo(found)) return found
      }
    },
    async end(signal: NodeJS.Signals): Promise<number | null> {
      child.kill(signal)
      return (await ended)[0] as number | null
    },
  }
}

/** The same on a terminal of 80 × 24 by util-linux's `script`: what it wrote until it was drawn twice and got a q. */
export async function onTerminal(folder: string, ...args: string[]): Promise<string> {
  const command = ['stty cols 80 rows 24; exec', process.execPath, velox, ...args].join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, XDG_RUNTIME_DIR: folder, TERM: 'xterm', NO_COLOR: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let text = ''
  let isTold = false
  for await (const data of child.stdout.setEncoding('utf8')) {
    text += data
    if (isTold || text.split('\x1b[H').length < 3) continue
    child.stdin.write('q')
    isTold = true
  }
  return text
}
