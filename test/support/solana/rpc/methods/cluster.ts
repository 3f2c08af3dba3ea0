import { RpcError } from '../../json-rpc.js'
import { type Method, type NodeContext, VERSION } from '../context.js'
import { checkMinContextSlot, commitment, config } from '../params.js'

const SLOTS_IN_EPOCH = 432_000

/** Throws where the node is too far behind to be asked. */
export function checkHealth({ view, unhealthySlots }: NodeContext): void {
  const numSlotsBehind = view.behindSlots
  if (numSlotsBehind >= unhealthySlots)
    throw new RpcError(-32005, `Node is behind by ${numSlotsBehind} slots`, { data: { numSlotsBehind } })
}

function asked(params: readonly unknown[], { view }: NodeContext) {
  const options = config(params, 0)
  const level = commitment(options)
  checkMinContextSlot(view, options, level)
  return view.block(level)
}

export const getHealth: Method = (_, node) => {
  checkHealth(node)
  return 'ok'
}

export const getVersion: Method = () => ({ 'feature-set': 3_640_012_085, 'solana-core': VERSION })

export const getGenesisHash: Method = (_, { view }) => view.chain.genesisHash

export const getSlot: Method = (params, node) => asked(params, node).slot

export const getBlockHeight: Method = (params, node) => asked(params, node).height

export const getEpochInfo: Method = (params, node) => {
  const { slot, height } = asked(params, node)
  return {
    absoluteSlot: slot,
    blockHeight: height,
    epoch: Math.floor(slot / SLOTS_IN_EPOCH),
    slotIndex: slot % SLOTS_IN_EPOCH,
    slotsInEpoch: SLOTS_IN_EPOCH,
    transactionCount: node.view.chain.landed.size,
  }
}
