// A local Solana: RPC nodes and a Jito block engine on loopback, over one chain that litesvm executes, which misbehaves
// when asked to. `startCluster` runs it here, `spawnCluster` in a process of its own.
export { MEMO_PROGRAM, TIP_ACCOUNTS } from './addresses.js'
export { Cluster, startCluster } from './cluster.js'
export type { Fault, FaultKind, PlannedFault } from './faults.js'
export type { BundleEntry } from './jito/engine.js'
export type { Region } from './jito/region.js'
export type { Ledger, LedgerEntry } from './ledger.js'
export type { ClusterOptions } from './options.js'
export { type ClusterProcess, spawnCluster } from './process.js'
export type { RequestAim, RequestEntry, Requests } from './requests.js'
export type { RpcNode } from './rpc/node.js'
