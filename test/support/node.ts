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

/** Runs node in a process of its own; `during` may send it signals. */
export function node(
  args: readonly string[],
  o: {
    cwd?: string
    env?: Readonly<Record<string, string>>
    during?: (kill: (signal: NodeJS.Signals) => void) => void
  } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
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
