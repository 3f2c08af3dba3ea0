import { createHash } from 'node:crypto'
import type { bundleIdOf as Face } from '../../solana.js'
import { checkList, checkString } from '../errors/check.js'

/** Jito's own name for a bundle. */
export const bundleIdOf: typeof Face = (signatures) => {
  const list = Array.from(checkList('signatures', signatures), (signature) => checkString('signatures', signature))
  return createHash('sha256').update(list.join(',')).digest('hex')
}
