// A local Solana: RPC nodes and a Jito block engine on loopback, over one chain that litesvm executes, which misbehaves
// when asked to. `startCluster` runs it here.
export { MEMO_PROGRAM, TIP_ACCOUNTS } from './addresses.js'
export { Cluster, startCluster } from './cluster.js'
export type { Fault, FaultKind, PlannedFault } from './faults.js'
export type { Ledger, LedgerEntry } from './ledger.js'
export type { ClusterOptions } from './options.js'
export type { RequestAim, RequestEntry, Requests } from './requests.js'
export type { RpcNode } from './rpc/node.js'
