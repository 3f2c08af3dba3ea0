import { createHash } from 'node:crypto'
import type { bundleIdOf as Face } from '../../solana.js'

/** Jito's own name for a bundle. */
export const bundleIdOf: typeof Face = (signatures) => createHash('sha256').update(signatures.join(',')).digest('hex')
