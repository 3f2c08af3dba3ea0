import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** A file of ../shared, or undefined where it is not on this machine. */
export function shared(path: string): string | undefined {
  const file = fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url))
  return existsSync(file) ? file : undefined
}

export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** May send it signals. */
  readonly during?: (kill: (signal: NodeJS.Signals) => void) => void
}

/** Runs node in a process of its own. */
export const node = (args: readonly string[], o?: RunOptions): Promise<Ended> => run(process.execPath, args, o)

/** The same of any command. */
export function run(command: string, args: readonly string[], o: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: o.cwd ?? root,
      env: { ...process.env, ...o.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (text) => {
      stdout += text
    })
    child.stderr.on('data', (text) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
    o.during?.((signal) => void child.kill(signal))
  })
}

/** Runs a module given as text. */
export const script = (code: string, ...flags: string[]): Promise<Ended> =>
  node([...flags, '--input-type=module', '--eval', code])
