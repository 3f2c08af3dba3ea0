/**
 * The public types of `velox-engine/solana`: records become Solana transactions and Jito bundles, each landed exactly once or
 * reported. Amounts are bigints in lamports, prices of compute units in micro-lamports, slots and block heights bigints.
 * @module
 */
import type {
  Bundle,
  Infer,
  Input,
  L2Book,
  RecordType,
  RingBuffer,
  Sink,
  StageMetrics,
  Transaction,
  VeloxError,
} from './index.js'

/** A record's fields by name. */
export type Row = Readonly<Record<string, unknown>>

/** What a builder makes of records: ready to send. */
export interface SignedTransaction {
  /** base58, the first signature: the transaction's name. */
  readonly signature: string
  /** The whole signed bytes, at most 1,232. */
  readonly wire: Uint8Array
  /** The same, as it is sent. */
  readonly base64: string
  /** How many records are packed in it. */
  readonly records: number
  /** What it can spend at most besides the tip: fees (signatures, priority) and declared amounts. */
  readonly lamports: bigint
  /** 0n where it has no tip. */
  readonly tipLamports: bigint
  /** Whether it lives by a durable nonce: no block height ends it, it can land until its nonce becomes another. */
  readonly hasNonce?: boolean
}

/** What changes between two builds of the same records. */
export interface BuildContext {
  /** That of every transaction but one with `hasNonce`: by it a submitter knows when none can land any more. */
  readonly blockhash: string
  readonly lastValidBlockHeight: bigint
  /** Micro-lamports a unit. */
  readonly computeUnitPrice: bigint
  /** Goes into the last transaction only. */
  readonly tip?: { readonly lamports: bigint; readonly account: string } | undefined
}

/** Makes signed transactions of records, in their order. */
export interface TransactionBuilder {
  /** base58 address of who pays. */
  readonly feePayer: string
  /** How many records one transaction takes. */
  readonly recordsPerTransaction: number
  build(records: readonly Row[], context: BuildContext): Promise<readonly SignedTransaction[]>
}

/** A key in native memory: its secret is nowhere in JavaScript, and in no error. */
export interface Signer {
  /** base58. */
  readonly address: string
}

/**
 * The key of a file as `solana-keygen` writes it, read natively. Its memory is cleared some time after nobody holds the signer and
 * its templates any more, and not where the process ends first; copies that the compiler or the system made are never. VELOX_FILE_NOT_FOUND;
 * VELOX_KEY_REFUSED for a file that others than its owner can read (on Unix: `chmod 600`), for one that is no key, and for a
 * public half that isn't that of the secret.
 */
export function keypairFile(path: string | URL): Signer

/**
 * The key of an environment variable: an array of 64 numbers as in a key file, or base58. Weaker than a file: the
 * environment is there for whoever can look at the process, for its children, and in many a crash report. Its
 * value is a string on the JavaScript heap then, which nothing clears. VELOX_KEY_REFUSED.
 */
export function keypairFromEnvironment(name: string): Signer

/** Makes transactions natively, off the event loop, some 30 µs each. */
export interface TransactionTemplate<T extends RecordType = RecordType> extends TransactionBuilder {
  readonly record: T
  /**
   * Signed transactions of these records, in their order. VELOX_HOLE_OVERFLOW for a value that doesn't fit its hole,
   * VELOX_INVALID_VALUE for records, a tip or a context that can't be: nothing is built then.
   */
  build(records: readonly Input<T>[], context: BuildContext): Promise<readonly SignedTransaction[]>
  /** The same, of records as they lie in memory one after another. The bytes are copied before it returns. */
  buildBytes(records: Uint8Array, context: BuildContext): Promise<readonly SignedTransaction[]>
}

/**
 * Each record as a memo: its fields in their order with commas in between, as `7,618003,100,bid,1,1723118400000000000`.
 * Needs no kit. The message has a unit limit and a unit price.
 *
 * `packing`: how many records one transaction holds, 1 by default; VELOX_TRANSACTION_TOO_LONG says how many fit.
 * `tip`: whether room for one is kept, true by default.
 */
export function memoTemplate<T extends RecordType = typeof Transaction>(o: {
  signer: Signer
  record?: T
  packing?: number
  tip?: boolean
}): TransactionTemplate<T>

/** An instruction of `@solana/kit`. */
export interface KitInstruction {
  readonly programAddress: string
  readonly accounts?: readonly { readonly address: string; readonly role: number }[]
  readonly data?: ArrayLike<number>
}

/** A transaction message of `@solana/kit` with somebody who pays: of version 0, or legacy. */
export interface KitMessage {
  readonly version: 'legacy' | number
  readonly feePayer: { readonly address: string }
  readonly instructions: readonly KitInstruction[]
}

/**
 * Accounts that differ from record to record: from a table, by a field that is an index or a name, or the record's own, a
 * text in base58.
 */
export type Addresses<T extends RecordType> = Readonly<
  Record<
    string,
    | { readonly by: keyof T['fields'] & string; readonly table: readonly string[] | Readonly<Record<string, string>> }
    | { readonly field: keyof T['fields'] & string }
  >
>

/** What a template is made of. */
export interface TemplateOptions<T extends RecordType, A extends Addresses<T>> {
  /** The fee payer's key. */
  readonly signer: Signer
  /** Keys of other accounts that sign. */
  readonly signers?: readonly Signer[]
  /** What the records are: Transaction by default. */
  readonly record?: T
  /** What all transactions have in common: the version, the fee payer, the compute budget, fixed instructions. */
  readonly message: KitMessage
  /**
   * A record's own instructions, written as for one transaction. It is called while the template is made, never after:
   * with records in which one field differs, to find where the field goes. So it puts fields in as they are and does
   * nothing else with them but choose by a name (`order.side === 'bid' ? BUY : SELL`).
   */
  readonly each: (
    row: Infer<T>,
    // biome-ignore lint/suspicious/noExplicitAny: an Address of kit, whose brand only kit can name
    addresses: Readonly<Record<keyof A, any>>,
  ) => readonly KitInstruction[]
  /** Accounts that differ from record to record. */
  readonly addresses?: A
  /** How many records one transaction holds: 1. */
  readonly packing?: number
  /** Whether room for a tip is kept: true. */
  readonly tip?: boolean
  /** Fields whose value counts as lamports that are spent: whole numbers, put in whole. What the system program moves counts anyway. */
  readonly spends?: readonly (keyof T['fields'] & string)[]
  /** Lamports that each transaction may spend besides. */
  readonly lamports?: bigint
}

/**
 * Makes a template of a message, written with `@solana/kit` as for one record: the places of the record's fields are found by
 * trying, and what it makes is held to what kit makes of the same records before it is given.
 *
 * VELOX_TEMPLATE_INVALID for a message or fields that no template can hold (`messageBuilder` can), VELOX_TRANSACTION_TOO_LONG,
 * VELOX_PEER_MISSING without kit.
 *
 * @example
 * const template = await transactionTemplate({
 *   signer,
 *   message: pipe(
 *     createTransactionMessage({ version: 0 }),
 *     (m) => setTransactionMessageFeePayer(address(signer.address), m),
 *     (m) => setTransactionMessageComputeUnitPrice(1n, m), // put in anew each time
 *   ),
 *   addresses: { market: { by: 'instrument', table: markets } },
 *   each: (order, { market }) => [getPlaceOrderInstruction({ market, price: order.price, size: order.size })],
 *   packing: 4,
 * })
 */
export function transactionTemplate<const A extends Addresses<T>, T extends RecordType = typeof Transaction>(
  o: TemplateOptions<T, A>,
): Promise<TransactionTemplate<T>>

/**
 * The slow lane, on the event loop and by kit: for what a template can't do, such as keys of a service or of hardware,
 * lookup tables by record, calculated fields, durable nonces. Some milliseconds a transaction. VELOX_PEER_MISSING without kit.
 *
 * `feePayer`: the account that pays, that of every message. `build` gives a message for every `recordsPerTransaction` (1) of the
 * records, in their order; its fee payer and its accounts may be any signers of kit. A message without a lifetime gets the
 * context's blockhash, one of another blockhash is refused; the last one gets the context's tip.
 *
 * @example
 * const builder = await messageBuilder({
 *   feePayer: kms.address,
 *   build: (orders) => orders.map((order) =>
 *     pipe(
 *       createTransactionMessage({ version: 0 }),
 *       (m) => setTransactionMessageFeePayerSigner(kms, m),
 *       (m) => appendTransactionMessageInstruction(instructionOf(order), m),
 *     ),
 *   ),
 * })
 */
export function messageBuilder<T extends RecordType = typeof Transaction>(o: {
  readonly feePayer: string
  readonly record?: T
  readonly recordsPerTransaction?: number
  readonly build: (
    records: readonly Input<T>[],
    context: BuildContext,
  ) => readonly KitMessage[] | Promise<readonly KitMessage[]>
}): Promise<TransactionBuilder>

/** A server of JSON-RPC, and how fast it may be asked. */
export interface RpcEndpoint {
  /** http:// or https://. Errors and statistics show its origin only: keys in paths and queries stay secret. */
  readonly url: string
  /** ws:// or wss://: statuses are then asked as soon as the node notifies. Needs `@solana/kit`. */
  readonly ws?: string
  /** Requests a second in the long run, and at once: 10, and as many. Public nodes allow 10; your provider tells yours. */
  readonly perSecond?: number
  readonly burst?: number
  /** How long one request may take: 5,000. */
  readonly timeoutMillis?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Regions of Jito's block engine: each its own address and its own bucket. */
export interface JitoOptions {
  /** Base addresses, such as 'https://mainnet.block-engine.jito.wtf', without `/api/v1`. */
  readonly url: string | readonly string[]
  /** Requests a second and region: 1, which is what Jito allows without a key. */
  readonly perSecond?: number
  readonly burst?: number
  readonly timeoutMillis?: number
  /** The UUID that is sent as `x-jito-auth`. */
  readonly auth?: string
  /** Which regions get a bundle: the first with a free request ('one', the default), or 'all'. */
  readonly send?: 'one' | 'all'
}

/** What may be spent. Reserved before a transaction is written down and sent, given back when it has surely not landed. */
export interface Limits {
  /** At most so much in any window: tips, fees, declared amounts. Kept over restarts by the journal. */
  readonly maxLamports: bigint
  /** The window: 60,000. */
  readonly windowMillis?: number
  /** At most so much tip for one bundle. */
  readonly maxTipLamports?: bigint
  /** Transactions on their way at once: 1,000. A pipeline waits for room, `submit` is refused. */
  readonly maxInFlight?: number
  /** Books that decisions rest on: while one of them is not live nothing is sent, neither new nor again. */
  readonly books?: readonly L2Book[]
}

/** What is the same in every state of a submission: one transaction, or one Jito bundle of up to 5. */
interface Submission {
  /** base58, in the order of the transactions; none where it was refused before it was signed. */
  readonly signatures: readonly string[]
  /** Jito's name for it, known before it is sent. */
  readonly bundleId?: string
  /** How many records are in it. */
  readonly records: number
  /** The records themselves; none for what a restart took from the journal. */
  readonly rows: readonly Row[]
  /** Whether a restart took it from the journal. */
  readonly resumed: boolean
  /** The first signature of the one that expired and that this one was signed for again. */
  readonly replaces?: string
}

/**
 * What a submission can be. It ends `landed`, `failed`, `expired`, or `simulated` in a dry run.
 *
 * - `built`: signed, and in the journal. Nothing was sent.
 * - `sent`: a server took it. That is a receipt, not a landing.
 * - `pending`: a node has executed it, with fewer votes than wanted.
 * - `landed`: every signature has the wanted commitment, without an error.
 * - `failed`: it was refused before it could land (`spentLamports` is 0n), or executed with an error, which costs fees.
 * - `expired`: a node that is past its last block, finalized, knows none of its signatures: it can't land any more. What lives by a
 *   durable nonce has no last block (`lastValidBlockHeight` is 2⁶⁴ − 1): by a finalized slot its nonce has become another.
 */
export type SubmissionState = Submission &
  (
    | { readonly state: 'built'; readonly lastValidBlockHeight: bigint }
    | { readonly state: 'sent'; readonly to: string }
    | { readonly state: 'pending'; readonly slot: bigint }
    | { readonly state: 'landed'; readonly slot: bigint; readonly spentLamports: bigint }
    | { readonly state: 'failed'; readonly error: VeloxError; readonly spentLamports: bigint }
    | {
        readonly state: 'expired'
        readonly lastValidBlockHeight: bigint
        /** Why the last send failed, where it did. */
        readonly error?: VeloxError
        /** The first signature of what was signed in its place. */
        readonly replacedBy?: string
      }
    | { readonly state: 'simulated'; readonly unitsConsumed: bigint; readonly logs: readonly string[] }
  )

/** How a submission ended. */
export type Outcome = Extract<SubmissionState, { state: 'landed' | 'failed' | 'expired' | 'simulated' }>

/** How one server was asked. */
export interface EndpointStats {
  /** Its origin. */
  readonly url: string
  readonly requests: number
  /** Requests without an answer, and answers that say that it is unwell or too busy, or doesn't serve us. */
  readonly failures: number
  /** How many of them said that we were too fast. */
  readonly throttled: number
  /** Whether it failed so often that it is left alone for a while. */
  readonly open: boolean
}

/** A WebSocket that landings are heard by. While it is away they are found by polling alone, each `pollMillis`. */
export interface WebSocketStats {
  /** Its origin. */
  readonly url: string
  /** One that the server has closed in good order seems so for up to 5 s, until a ping fails. */
  readonly connected: boolean
  /** How often it has connected. */
  readonly connections: number
  /** How often in a row no connection could be made. */
  readonly failures: number
}

/** Submissions by what became of them: `built = inFlight + landed + failed + expired`. */
export interface SubmitterStats {
  /** Signed and in the journal, those of a restart too. */
  readonly built: number
  readonly inFlight: number
  readonly landed: number
  /** After they were built. */
  readonly failed: number
  readonly expired: number
  /** Not built: a limit, a halt, a builder that threw. */
  readonly refused: number
  readonly simulated: number
  /** What landed has cost, by what was declared, and what failed on chain: its fees. */
  readonly spentLamports: bigint
  /** Of the window of the limit: spent, or reserved. */
  readonly windowLamports: bigint
  readonly halted: boolean
  readonly endpoints: readonly EndpointStats[]
  /** Those of the `ws` of `rpc`. */
  readonly webSockets: readonly WebSocketStats[]
}

export interface SubmitterOptions {
  /**
   * Where chain state is asked, and where transactions go without Jito. Several are several eyes on one chain; one of another chain halts
   * the submitter. One of them at least has to keep a history of transactions: without it nothing is proven to have expired.
   */
  readonly rpc: string | RpcEndpoint | readonly (string | RpcEndpoint)[]
  /** With it, records leave as Jito bundles, and through nothing else. */
  readonly jito?: string | JitoOptions
  /** What makes transactions of records. Without one `signer` signs each record as a memo. */
  readonly template?: TransactionBuilder
  /** Who pays: beside a template the one that it has, or VELOX_INVALID_VALUE. */
  readonly signer?: Signer
  readonly limits: Limits
  /**
   * The file that remembers what was signed, before it is sent. `fsync` (true): it is on the disk by then, and a power cut
   * loses nothing. `false`: none; a crash then forgets what is on its way. It is of one chain: what is on its way in one is never
   * seen to end in another.
   */
  readonly journal: string | URL | { readonly path: string | URL; readonly fsync?: boolean } | false
  /** How metrics name it: 'submitter'. */
  readonly name?: string
  /** Only simulates: nothing is sent, nothing is written. */
  readonly dryRun?: boolean
  /** Micro-lamports a compute unit: fixed (0n), or a percentile (0 to 100) of what `accounts` cost lately, at most `max`. */
  readonly priorityFee?:
    | bigint
    | { readonly percentile: number; readonly max: bigint; readonly accounts?: readonly string[] }
  /** Lamports a bundle, at least 1,000n: fixed (1,000n), or what a source gives each few seconds, at most `max`. */
  readonly tip?: bigint | { readonly source: TipSource; readonly max: bigint }
  /** Tip accounts; default: those that the block engine names. */
  readonly tipAccounts?: readonly string[]
  /** What counts as landed: 'confirmed'. */
  readonly commitment?: 'confirmed' | 'finalized'
  /** Without Jito: to one server after the other until one takes it ('failOver'), or to all at once ('race'). */
  readonly send?: 'failOver' | 'race'
  /** Whether the node simulates a transaction before it takes it: true. */
  readonly preflight?: boolean
  /** How often what has expired is signed again, with another blockhash: 0. Never while the first could still land, nor once it is closed. */
  readonly signAgain?: number
  /** The same bytes are sent again so often until they land: 2,000. */
  readonly resendMillis?: number
  /** Statuses are asked so often: 1,000. */
  readonly pollMillis?: number
  /** A new blockhash is fetched so often: 2,000, at most 10,000. One that is told again for 20 seconds is not signed with. */
  readonly blockhashMillis?: number
  /** So long a builder, or a tip's source, may take: 30,000. Records whose builder takes longer are `failed` by VELOX_STAGE_FAILED. */
  readonly buildMillis?: number
  /** Aborts it: nothing more is sent or asked. What is on its way stays in the journal. */
  readonly signal?: AbortSignal | undefined
}

/** Lamports that a bundle's tip should be now. */
export type TipSource = (o: { signal: AbortSignal }) => Promise<bigint>

/**
 * A percentile of the tips that landed lately, from Jito's list (a REST address that gives SOL by percentile).
 * VELOX_RPC_FAILED where it can't be read.
 */
export function tipFloor(o?: { url?: string; percentile?: 25 | 50 | 75 | 95 | 99 }): TipSource

/** Sends what records become, and says how it ended. It is also the sink of a pipeline of Bundles. */
export interface Submitter extends Sink<typeof Bundle>, AsyncDisposable, AsyncIterable<Outcome> {
  readonly name: string
  /**
   * Builds, journals and sends; resolves when all has ended, in the order of the records. Never rejects for what the network,
   * the chain or a limit did: that is an outcome. VELOX_SUBMITTER_CLOSED where it was closed before the end was known. The records are
   * not copied: change none before its outcome has come.
   *
   * Each submission is one transaction, or with Jito one bundle of up to 5 transactions, which lands as a whole or not at
   * all. **Nothing holds several of them together**: 16 records without packing are 4 Jito bundles, of which some may land and others not.
   */
  submit(records: Infer<typeof Bundle> | readonly Row[]): Promise<readonly Outcome[]>
  /** Ends as they come, until the submitter is closed; with `all`, every change of state. A reader that is more than 65,536 behind gets VELOX_READER_BEHIND. */
  outcomes(o?: { all?: false; signal?: AbortSignal | undefined }): AsyncIterableIterator<Outcome>
  outcomes(o: { all: boolean; signal?: AbortSignal | undefined }): AsyncIterableIterator<SubmissionState>
  /**
   * Nothing is sent from here on, neither new nor again, until `resume`. What was built and never sent fails with
   * VELOX_SUBMITTER_HALTED; what was sent is watched to its end.
   */
  halt(reason?: string): void
  resume(): void
  /** Why nothing is sent now; undefined while it is. */
  readonly halted: string | undefined
  stats(): SubmitterStats
  /**
   * Landed submissions and their nanoseconds from built to landed; failed and expired ones as errors, refused ones as drops: for
   * `report([submitter.metrics], exporter)`.
   */
  readonly metrics: StageMetrics
  /** Takes and signs nothing new and waits for the ends, at most so long (90,000); what then is still on its way stays in the journal. */
  close(o?: { timeoutMillis?: number }): Promise<void>
}

/**
 * Opens the journal, takes up again what a crash left on its way (the same bytes are sent again), and begins to keep a fresh blockhash.
 *
 * Throws VELOX_INVALID_VALUE, VELOX_UNKNOWN_OPTION, VELOX_JOURNAL_LOCKED (another process has it), VELOX_CORRUPT_DATA,
 * VELOX_FILE_UNWRITABLE.
 *
 * @example
 * const submitter = await createSubmitter({
 *   rpc: 'https://api.mainnet-beta.solana.com',
 *   template,
 *   limits: { maxLamports: 10_000_000n },
 *   journal: 'submitter.journal',
 * })
 * const run = await pipeline('send').from(market).trades().transactions().bundle().to(submitter).start()
 * const closed = run.done().finally(() => submitter.close())
 * for await (const outcome of submitter) console.log(outcome.state, outcome.signatures) // until it is closed
 * await closed
 */
export function createSubmitter(o: SubmitterOptions): Promise<Submitter>

/** What became of a bundle, by the block engine: it looks back 5 minutes. `landed` is told by RPC alone. */
export interface BundleStatus {
  readonly bundleId: string
  readonly signatures: readonly string[]
  readonly slot: bigint
  readonly confirmation: 'processed' | 'confirmed' | 'finalized'
  readonly error?: unknown
}

/** The same while it is on its way. */
export interface InflightStatus {
  readonly bundleId: string
  readonly status: 'Invalid' | 'Pending' | 'Failed' | 'Landed'
  readonly landedSlot?: bigint
}

export interface JitoClientOptions extends JitoOptions {
  /** For `sendBundle` of a Bundle: what makes its transactions, where their blockhash is from, and the tip (1,000n lamports). */
  readonly template?: TransactionBuilder
  readonly rpc?: string | RpcEndpoint
  readonly tip?: bigint
}

/**
 * Jito's block engine. Every call takes a request from its region's bucket; failures are VELOX_RPC_FAILED with the engine's own
 * words as the cause.
 */
export class JitoClient {
  constructor(o: string | JitoClientOptions)
  /**
   * Sends up to 5 transactions as one bundle and gives its id: a receipt, not a landing. A Bundle needs `template` and `rpc`, and has to
   * fit: 16 records are 4 bundles unless they are packed.
   * VELOX_INVALID_VALUE for none or more than 5 transactions, or a tip below 1,000 lamports in the last one.
   */
  sendBundle(bundle: Infer<typeof Bundle> | readonly SignedTransaction[]): Promise<string>
  /** 'unknown': the engine has never seen it, or it is more than 5 minutes ago. */
  getBundleStatus(bundleId: string): Promise<'pending' | 'landed' | 'failed' | 'invalid' | 'unknown'>
  /** At most 5 ids; undefined in the place of an unknown one. */
  getBundleStatuses(bundleIds: readonly string[]): Promise<readonly (BundleStatus | undefined)[]>
  getInflightBundleStatuses(bundleIds: readonly string[]): Promise<readonly (InflightStatus | undefined)[]>
  getTipAccounts(): Promise<readonly string[]>
  /** One transaction, without a simulation before. `bundleOnly`: only as a bundle of its own, whose id comes back. */
  sendTransaction(
    transaction: SignedTransaction,
    o?: { bundleOnly?: boolean },
  ): Promise<{ readonly signature: string; readonly bundleId?: string }>
  stats(): readonly EndpointStats[]
  close(): void
}

/** The id of a bundle: hex SHA-256 of its transactions' first signatures, joined by commas. */
export function bundleIdOf(signatures: readonly string[]): string

/** What the founding document makes of a transaction: instructions that carry it. Here the memo that `memoTemplate` signs. */
export interface SolanaTransaction {
  readonly instructions: readonly { readonly programAddress: string; readonly data: Uint8Array }[]
}
export function toSolanaTransaction(txn: Infer<typeof Transaction>): SolanaTransaction

/** The founding document's submitter: takes Bundles from a ring until it is told to stop. */
export class SolanaSubmitter {
  constructor(input: RingBuffer<typeof Bundle>, submitter: Submitter)
  /** Until `shutdown`, or until the ring is closed; what is in it then is still taken. Ends are told by the submitter. */
  run(shutdown: AbortSignal): Promise<void>
}
