import { errorText } from '../../chain/errors.js'
import type { WireTransaction } from '../../chain/transaction.js'
import { RpcError } from '../../json-rpc.js'
import type { Method, NodeContext } from '../context.js'
import { address, checkMinContextSlot, commitment, config, text } from '../params.js'
import type { Commitment } from '../view.js'
import { decodeTransaction } from '../wire.js'
import { checkHealth } from './cluster.js'
import { simulate, simulatedJson } from './simulate.js'

function preflight(node: NodeContext, transaction: WireTransaction, level: Commitment): void {
  const { view } = node
  const simulated = simulate(view, transaction, { bank: view.block(level), sigVerify: true, checksLifetime: true })
  const { err } = simulated
  if (err === 'SignatureFailure' || err === 'SanitizeFailure')
    throw new RpcError(-32003, 'Transaction signature verification failure')
  checkHealth(node)
  if (err === null) return
  const message = `Transaction simulation failed: ${errorText(err)}`
  throw new RpcError(-32002, message, { data: simulatedJson(simulated) })
}

export const sendTransaction: Method = (params, node) => {
  const options = config(params, 1)
  const { encoding = 'base58', skipPreflight = false, preflightCommitment, maxRetries = Infinity } = options
  const transaction = decodeTransaction(text(params, 0), encoding)
  const level = skipPreflight ? 'processed' : commitment({ commitment: preflightCommitment }, 'preflightCommitment')
  checkMinContextSlot(node.view, options, level)
  if (!skipPreflight) preflight(node, transaction, level)
  node.submit(transaction, typeof maxRetries === 'number' ? maxRetries : Infinity)
  return transaction.signature
}

export const requestAirdrop: Method = async ([to, lamports, options], node) => {
  const { blockhash } = node.view.block(commitment(config([options], 0)))
  if (typeof lamports !== 'number' || lamports < 0) throw new RpcError(-32602, 'Invalid params: expected u64.')
  const transaction = await node.airdrop(address(to), BigInt(lamports), blockhash)
  node.submit(transaction, Infinity)
  return transaction.signature
}
