/**
 * Signatures that could still land, or have. The network takes a transaction once: of two that are equal to the byte, one landing
 * would look like two.
 */
export class SeenSignatures {
  readonly #until = new Map<string, bigint>()
  /** The height at which it was last tidied up. */
  #tidied = 0n

  /** Whether all are new; if so they are not any more. */
  add(signatures: readonly string[], lastValidBlockHeight: bigint): boolean {
    if (new Set(signatures).size < signatures.length || signatures.some((one) => this.#until.has(one))) return false
    for (const signature of signatures) this.#until.set(signature, lastValidBlockHeight)
    return true
  }

  /** They were never sent: the same records may be tried again. */
  forget(signatures: readonly string[]): void {
    for (const signature of signatures) this.#until.delete(signature)
  }

  /** Forgets those whose blockhash nobody signs with any more. */
  reached(height: bigint): void {
    if (height >= this.#tidied && height < this.#tidied + 50n) return
    this.#tidied = height
    for (const [signature, until] of this.#until) if (until < height) this.#until.delete(signature)
  }
}
