import { startChild } from '../exchange/child.js'

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

/** Starts a local Solana in a process of its own, with the flags of main.ts. */
export async function spawnCluster(...flags: readonly string[]): Promise<ClusterProcess> {
  const child = await startChild('solana', ['--until-stdin-ends', ...flags])
  return {
    ...(child.place as Pick<ClusterProcess, 'nodes' | 'regions' | 'pid'> & Record<string, unknown>),
    call: (path, ...args) => child.call(path, args),
    kill: () => child.ended(() => child.process.kill('SIGKILL')),
    close: child.close,
  }
}
