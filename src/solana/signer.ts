import type { Signer as Face } from '../../solana.js'
import { kindOf, refuse } from '../errors/check.js'
import { call, native, owned } from '../native.js'
import { pathOf } from '../pipeline/path.js'

/** A key that stays in native memory: what is here is its address and the number of its slot. */
export class Signer implements Face {
  /** Base58. */
  readonly address: string
  readonly #slot: number

  constructor(slot: number) {
    this.#slot = owned(this, slot)
    this.address = native.signerAddress(slot)
  }

  static slotOf(signer: Face): number {
    if (!(typeof signer === 'object' && signer !== null && #slot in signer))
      return refuse('signer', 'what keypairFile or keypairFromEnvironment gave', kindOf(signer))
    return signer.#slot
  }
}

/**
 * The key of a file as `solana-keygen` writes it, read natively: its secret never reaches JavaScript and is in no error. Its
 * memory is cleared some time after nobody holds the signer and its templates; not where the process ends first. VELOX_FILE_NOT_FOUND; VELOX_KEY_REFUSED for a file that others than its owner
 * can read (on Unix: `chmod 600`), for one that is no key, and for a public half that isn't that of the secret.
 */
export function keypairFile(path: string | URL): Signer {
  // Clients of other libraries take the key itself here.
  const isPath = typeof path === 'string' || path instanceof URL
  const at = isPath ? pathOf(path) : refuse('path', 'the path of a key file', kindOf(path))
  return new Signer(call(() => native.signerRead(at)))
}

/**
 * The key of an environment variable: an array of 64 numbers as in a key file, or base58. Weaker than a file: the
 * environment is there for whoever can look at the process, for its children, and in many a crash report. Its
 * value is asked of `process.env`, as it is now on this thread, and so is a string on the JavaScript heap, which nothing clears.
 */
export function keypairFromEnvironment(name: string): Signer {
  if (typeof name !== 'string') refuse('name', 'the name of an environment variable', kindOf(name))
  return new Signer(call(() => native.signerFromEnv(name)))
}
