import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A server in a process of its own. */
export interface Child {
  readonly process: ChildProcess
  /** The line of JSON by which it says where it is, but for `control`. */
  readonly place: Readonly<Record<string, unknown>>
  /** Calls or reads what it has by a path; big integers come back as text. */
  call<T>(path: string, args: readonly unknown[]): Promise<T>
  /** Does what ends it, if it runs, and waits for that. */
  ended(end: () => void): Promise<void>
  /** Lets it end by itself. */
  close(): Promise<void>
}

/** The folder of package.json, from the sources and from the build alike. */
function root(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** The compiled program of `test/support/<name>`; compiled now, unless this runs as such. */
function program(name: string): string {
  const folder = root()
  if (import.meta.url.endsWith('.ts')) {
    const tsc = join(folder, 'node_modules/typescript/bin/tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', `test/support/${name}`], { cwd: folder })
    if (status !== 0) throw new Error(`the ${name} does not compile: ${stdout}`)
  }
  return join(folder, `build/${name}/main.js`)
}

/** Starts `test/support/<name>/main.ts`, and waits until it says where it is. */
export async function startChild(name: string, args: readonly string[]): Promise<Child> {
  const child = spawn(process.execPath, [program(name), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const line = once(createInterface(child.stdout), 'line')
  const early = once(child, 'exit').then(([code]) => {
    throw new Error(`the ${name} ended with ${code} before it said where it is`)
  })
  const [text] = (await Promise.race([line, early])) as [string]
  early.catch(() => {})
  const { control, ...place } = JSON.parse(text) as { control: string } & Record<string, unknown>
  const ended = async (end: () => void) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    end()
    await exit
  }
  return {
    process: child,
    place,
    ended,
    close: () => ended(() => child.stdin.end()),
    async call<T>(path: string, args: readonly unknown[]): Promise<T> {
      const response = await fetch(`${control}/${path}`, { method: 'POST', body: JSON.stringify(args) })
      const body: unknown = await response.json()
      if (!response.ok) throw new Error(String(body))
      return body as T
    },
  }
}
