import {
  type Address,
  appendTransactionMessageInstructions,
  type Blockhash,
  createTransactionMessage,
  generateKeyPairSigner,
  getTransactionEncoder,
  type KeyPairSigner,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit'
import { getSetComputeUnitLimitInstruction } from '@solana-program/compute-budget'
import { getTransferSolInstruction } from '@solana-program/system'
import { parseTransaction, type WireTransaction } from './chain/transaction.js'

const FIRST_LIMIT = 10_000

/** Whose lamports airdrops are. */
export class Faucet {
  #airdrops = 0
  readonly #signer: KeyPairSigner

  private constructor(signer: KeyPairSigner) {
    this.#signer = signer
  }

  static async create(): Promise<Faucet> {
    return new Faucet(await generateKeyPairSigner())
  }

  get address(): Address {
    return this.#signer.address
  }

  /** A signed transfer; no two are the same, though they may ask the same. */
  async transfer(to: Address, lamports: bigint, blockhash: string): Promise<WireTransaction> {
    const units = FIRST_LIMIT + (this.#airdrops++ % 1_000_000)
    const message = pipe(
      createTransactionMessage({ version: 0 }),
      (m) => setTransactionMessageFeePayerSigner(this.#signer, m),
      // Its last block is of no interest to whom doesn't wait for it.
      (m) =>
        setTransactionMessageLifetimeUsingBlockhash({ blockhash: blockhash as Blockhash, lastValidBlockHeight: 0n }, m),
      (m) =>
        appendTransactionMessageInstructions(
          [
            getSetComputeUnitLimitInstruction({ units }),
            getTransferSolInstruction({ source: this.#signer, destination: to, amount: lamports }),
          ],
          m,
        ),
    )
    const signed = await signTransactionMessageWithSigners(message)
    return parseTransaction(new Uint8Array(getTransactionEncoder().encode(signed)))
  }
}
