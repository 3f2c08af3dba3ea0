/** A record as an object: its fields by name. */
export type Row = object

/** What a builder makes of records: ready to send. */
export interface SignedTransaction {
  /** Base58, the first signature. */
  readonly signature: string
  /** The whole signed bytes, at most 1,232. */
  readonly wire: Uint8Array
  /** The same, as it is sent. */
  readonly base64: string
  /** How many records are packed in it. */
  readonly records: number
  /** What it can spend at most besides the tip: fees, what the system program moves, and what was declared. */
  readonly lamports: bigint
  /** 0n where it has no tip. */
  readonly tipLamports: bigint
  /** Whether it lives by a durable nonce: no block height ends it, it can land until the nonce becomes another. */
  readonly hasNonce: boolean
}

/** What changes between two builds of the same records. */
export interface BuildContext {
  readonly blockhash: string
  readonly lastValidBlockHeight: bigint
  /** Micro-lamports a unit. */
  readonly computeUnitPrice: bigint
  /** Goes into the last transaction only. */
  readonly tip?: { readonly lamports: bigint; readonly account: string } | undefined
}

/** Makes signed transactions of records. */
export interface TransactionBuilder {
  /** Base58. */
  readonly feePayer: string
  readonly recordsPerTransaction: number
  build(records: readonly Row[], context: BuildContext): Promise<readonly SignedTransaction[]>
}
