import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Where a cluster in a process of its own is, and how it is reached. */
export interface ClusterProcess {
  readonly nodes: readonly { readonly name: string; readonly url: string; readonly wsUrl: string }[]
  readonly regions: readonly { readonly name: string; readonly url: string; readonly tipFloorUrl: string }[]
  readonly pid: number
  /** Calls or reads what the cluster has: `tick`, `faults.add`, `ledger.landed`, `nodes.0.crash`; big integers come back as text. */
  call<T = unknown>(path: string, ...args: readonly unknown[]): Promise<T>
  /** Kills it at once: its chain is gone. */
  kill(): Promise<void>
  close(): Promise<void>
}

/** The folder of package.json, from the sources and from the build alike. */
function root(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** The compiled program; compiled now, unless it runs as such. */
function program(): string {
  const folder = root()
  if (!import.meta.url.endsWith('.ts')) return fileURLToPath(new URL('main.js', import.meta.url))
  const tsc = join(folder, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', 'test/support/solana'], { cwd: folder })
  if (status !== 0) throw new Error(`the cluster does not compile: ${stdout}`)
  return join(folder, 'build/solana/main.js')
}

async function start(flags: readonly string[]): Promise<[ChildProcess, string]> {
  const args = [program(), '--until-stdin-ends', ...flags]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const line = once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')
  const early = once(child, 'exit').then(([code]) => {
    throw new Error(`the cluster ended with ${code} before it said where it is`)
  })
  const [text] = (await Promise.race([line, early])) as [string]
  early.catch(() => {})
  return [child, text]
}

/** Starts a local Solana in a process of its own, with the flags of main.ts. */
export async function spawnCluster(...flags: readonly string[]): Promise<ClusterProcess> {
  const [child, line] = await start(flags)
  const { control, ...place } = JSON.parse(line) as { control: string } & Pick<
    ClusterProcess,
    'nodes' | 'regions' | 'pid'
  >
  const ended = async (end: () => void) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    end()
    await exit
  }
  return {
    ...place,
    async call<T>(path: string, ...args: readonly unknown[]): Promise<T> {
      const response = await fetch(`${control}/${path}`, { method: 'POST', body: JSON.stringify(args) })
      const body: unknown = await response.json()
      if (!response.ok) throw new Error(String(body))
      return body as T
    },
    kill: () => ended(() => child.kill('SIGKILL')),
    close: () => ended(() => child.stdin?.end()),
  }
}
