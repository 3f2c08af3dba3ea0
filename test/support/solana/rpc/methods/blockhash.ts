import { BLOCKHASH_AGE_MOST } from '../../chain/blocks.js'
import { asOf, type Method } from '../context.js'
import { checkMinContextSlot, commitment, config, text } from '../params.js'

export const getLatestBlockhash: Method = (params, { view }) => {
  const options = config(params, 0)
  const level = commitment(options)
  checkMinContextSlot(view, options, level)
  const { slot, height, blockhash } = view.block(level)
  return asOf(slot, { blockhash, lastValidBlockHeight: height + BLOCKHASH_AGE_MOST })
}

export const isBlockhashValid: Method = (params, { view }) => {
  const options = config(params, 1)
  const level = commitment(options)
  checkMinContextSlot(view, options, level)
  const { slot, height } = view.block(level)
  const block = view.chain.blocks.byHash(text(params, 0))
  return asOf(slot, block !== undefined && block.slot <= slot && height <= block.height + BLOCKHASH_AGE_MOST)
}
