/**
 * Nodes that stand for each other have to be of one chain, which the hash of its first block names. One of another chain would
 * give blockhashes that the others don't know, and prove that what lands there has expired.
 */
export class OneChain {
  readonly #onOther: (reason: string) => void
  #first: { readonly url: string; readonly genesis: string } | undefined

  /** `onOther` hears of a node of another chain than that of the first one that told its own. */
  constructor(onOther: (reason: string) => void) {
    this.#onOther = onOther
  }

  /** Why a node is not to be asked; undefined where it may. */
  refusalOf(url: string, genesis: string): string | undefined {
    this.#first ??= { url, genesis }
    if (genesis === this.#first.genesis) return undefined
    const reason = `${url} is of another chain than ${this.#first.url}`
    this.#onOther(reason)
    return reason
  }
}
