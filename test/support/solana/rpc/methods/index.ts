import type { Method } from '../context.js'
import * as accounts from './accounts.js'
import * as blockhash from './blockhash.js'
import * as cluster from './cluster.js'
import * as fees from './fees.js'
import * as send from './send.js'
import { simulateTransaction } from './simulate.js'
import * as statuses from './statuses.js'
import { getTransaction } from './transaction.js'

/** The methods of a node over HTTP, by name. */
export const methods: ReadonlyMap<string, Method> = new Map<string, Method>(
  Object.entries({
    getAccountInfo: accounts.getAccountInfo,
    getBalance: accounts.getBalance,
    getBlockHeight: cluster.getBlockHeight,
    getEpochInfo: cluster.getEpochInfo,
    getFeeForMessage: fees.getFeeForMessage,
    getGenesisHash: cluster.getGenesisHash,
    getHealth: cluster.getHealth,
    getLatestBlockhash: blockhash.getLatestBlockhash,
    getMinimumBalanceForRentExemption: accounts.getMinimumBalanceForRentExemption,
    getMultipleAccounts: accounts.getMultipleAccounts,
    getRecentPrioritizationFees: fees.getRecentPrioritizationFees,
    getSignatureStatuses: statuses.getSignatureStatuses,
    getSlot: cluster.getSlot,
    getTransaction,
    getVersion: cluster.getVersion,
    isBlockhashValid: blockhash.isBlockhashValid,
    requestAirdrop: send.requestAirdrop,
    sendTransaction: send.sendTransaction,
    simulateTransaction,
  }),
)
