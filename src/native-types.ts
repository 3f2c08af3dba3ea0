/** What the addon exports. Numbers in and out on warm paths; texts and JSON on cold ones. A slot names a native object. */
export interface Native {
  /** Of the crate, which is the package's own. */
  version(): string
  release(slot: number): void
  /** Locks a file for this process until the slot is released. */
  fileLock(path: string): number

  initTsc(): void
  rdtsc(): bigint
  tscToNs(ticks: bigint): bigint
  clockNow(): bigint
  /** A function that leaves `clock.nanos()` in the first 8 bytes of shared memory, as a double. */
  clockBind(cell: Uint8Array): () => void
  clockToEpochNanos(ns: bigint): bigint
  clockCalibration(): { ticksPerNano: number; errorPpm: number; source: string }

  recordLayouts(): string
  /** One of the measurements of `velox bench`, for about so many ms: numbers by name, as JSON. Holds this thread. */
  benchRun(name: string, millis: number): string

  instrumentNew(symbol: string, venue: string, tick: string, lot: string): number
  instrumentInfo(id: number): { symbol: string; venue: string; tick: string; lot: string }
  instrumentCount(id: number, isQty: boolean, decimal: string): number
  instrumentFormat(id: number, isQty: boolean, steps: number): string

  orderBookNew(): number
  /** `kind`: 0 adds, 1 sets. */
  orderBookUpdate(
    book: number,
    kind: number,
    side: number,
    price: number,
    qty: number,
    timestamp: number | bigint,
  ): void
  orderBookBest(book: number, side: number): number | undefined
  orderBookSpread(book: number): number | undefined
  orderBookQtyAt(book: number, side: number, price: number): number
  /** Pairs of price and quantity, bids first; how many of them are bids is the first number. */
  orderBookDepth(book: number, levels: number, shift: number): number[]

  /** A number for a book of either kind, by which another thread can attach it. */
  bookShare(book: number): number
  bookAttach(token: number, oneWriter: boolean): { slot: number; instrument: number }

  l2BookNew(instrument: number): number
  l2BookState(book: number): number
  l2BookCrossed(book: number): boolean
  /** Cells for tops: `[bid, bidQty, ask, askQty, sequence, 1]` as doubles; `[…, 0]` for none. Gives their number. */
  l2BookTopCells(cells: Uint8Array): number
  /** Gives the function that leaves a book's top in those cells. */
  l2BookBindTop(book: number, cells: number): () => void
  l2BookDepth(book: number, levels: number): number[]
  l2BookQtyAt(book: number, side: number, price: number): number
  l2BookVwap(book: number, side: number, qty: number): number | undefined
  l2BookImbalance(book: number, levels: number): number | undefined
  /** Triples of side, price and quantity. The handle is the book's writer from here on. */
  l2BookApply(book: number, levels: Float64Array, sequence: number, snapshot: boolean): void
  l2BookRelease(book: number): void

  /** The plan is JSON: venue, markets, the slot of a ring of trades, the REST base. */
  feedNew(plan: string): number
  /** Slots of its books and their instruments, as JSON. */
  feedBooks(feed: number): string
  /** 0 applied, 1 buffered, 2 ignored, 3 gap, 4 checksum; receive time 0: now. */
  feedApply(feed: number, message: string | Uint8Array, receiveTs: number | bigint): number
  feedSnapshot(feed: number, body: string | Uint8Array, receiveTs: number | bigint, market: number): number
  /** 0 syncing, 1 live, 2 stale. */
  feedState(feed: number, symbol: string): number
  feedRequest(feed: number, symbol: string): string | null
  feedStale(feed: number): string[]
  /** On a new connection; with a symbol, for a new snapshot of it. */
  feedSubscribe(feed: number, symbol?: string): string[]
  feedHeartbeat(feed: number): string | null
  feedDisconnected(feed: number): void
  feedDropped(feed: number): number
  /** By name: verifiedBy, checks, url, restUrl, as JSON. */
  feedVenues(): string

  /** The ids of its instruments; nothing is connected. */
  liveInstruments(plan: string): number[]

  /** A number for a ring's handle that no other handle of the process has. */
  ringOwner(): number
  /** Takes hold of the memory of a ring. */
  ringAttach(bytes: Uint8Array, type: string, capacity: number): number

  builderNew(max: number, timeoutMicros: number): number
  /** The transaction as its 32 bytes. */
  builderAdd(builder: number, ring: number, transaction: Uint8Array): boolean
  builderTimedOut(builder: number): boolean
  /** 0 flushed, 1 empty, 2 full. */
  builderFlush(builder: number, ring: number): number
  builderLength(builder: number): number

  metricsNew(name: string): number
  metricsRecord(metrics: number, latencyNanos: number | bigint): void
  metricsError(metrics: number): void
  metricsDrop(metrics: number): void
  metricsSnapshot(metrics: number, out: Float64Array): void
  /** The lines of a snapshot: its numbers in their order. */
  metricsLines(numbers: number[]): string
  transactionsNew(): number
  transactionsRecord(metrics: number, latencyNanos: number | bigint): void
  transactionsDrop(metrics: number): void
  transactionsExport(metrics: number): string
  /** Leaves the numbers of a run, and of metrics by their slots, for another thread, with labels (name, value, name, value …). */
  scrapeLeave(run: number | undefined, metrics: number[], labels: string[]): number
  scrapeForget(token: number): void
  /** In the other thread: a slot of theirs. */
  scrapeTake(token: number): number
  scrapeText(scraped: number): string
  /** Families as JSON: name, help, type, samples of suffix, pairs of labels, value. */
  runFamilies(run: number): string
  /** Runs of this user in all processes, and what else lies among their files, as JSON. */
  metricsList(): string
  metricsAttach(path: string): number
  /** Stats of another process's run as JSON, whose it is, and latencies since the call before. */
  metricsRead(attached: number): string

  /** What a recorded file holds: its venue and its instruments' ids. */
  replayOpen(options: string): { venue: string; instruments: number[] }
  /** Starts a pipeline; `ended` gets its outcome as JSON, once. */
  pipelineStart(plan: string, ended: (outcome: string) => void): number
  /** The threads that workers are to open: token and names of the stages, as JSON. */
  runHosted(run: number): string
  runGo(run: number): void
  runStats(run: number): string
  /** Whole histograms as JSON: stage, hop, filled buckets (largest value in ns, count), sum, count. */
  runHistograms(run: number): string
  runMetricsFile(run: number): string | null
  runPlacement(run: number): string
  /** Stages, and edges by their numbers, as JSON. */
  runTopology(run: number): string
  runStop(run: number): void
  runPause(run: number, paused: boolean): void
  /** Wakes threads that sleep: records were left, or room was made. */
  runWake(run: number): void
  runAborted(run: number): boolean
  runFail(run: number, stage: string, reason: string): void
  runParamSet(run: number, place: number, value: number): void
  runParamGet(run: number, place: number): number
  /** Where stages would run: names, the nodes of the books that each looks at, threads and wait, as JSON. */
  placementOf(plan: string): string

  /** `rung` is called once for each time that the bell was armed and the native side has moved records since. */
  doorbellNew(rung: () => void): number
  doorbellArm(bell: number): void
  doorbellAbandon(bell: number, abandoned: boolean): void
  runAbort(run: number): void

  /** Keys stay in the addon. */
  signerRead(path: string): number
  signerFromEnv(name: string): number
  signerAddress(signer: number): string
  /** The plan is JSON; without a message the template is that of memos. */
  templateNew(plan: string, message?: Uint8Array): number
  templateFeePayer(template: number): string
  /** Transactions `from` to `to` of these records, built and signed off this thread: bytes as `solana/signed.ts` reads them. */
  templateBuild(
    template: number,
    records: Uint8Array,
    blockhash: string,
    computeUnitPrice: bigint,
    tipLamports: bigint,
    tipAccount: string | undefined,
    from: number,
    to: number,
  ): Promise<Uint8Array>
  messageLamports(message: Uint8Array): bigint
  messageFees(message: Uint8Array): bigint

  batchSizes(): { input: number; output: number }
  hostOpen(token: number): number
  hostStage(host: number, name: string, input: Uint8Array, output: Uint8Array): number
  hostBooks(host: number): string
  /** The script of this stage looks at the books before it. */
  hostWatch(host: number, stage: number): void
  /**
   * Gives the function that takes the answer from the first cell (4 × count + kind: 0 none, 1 wrote, 2 kept) and leaves
   * what to do next in the third (stage × 2^20 + count, 0 to rest, -1 at the end).
   */
  hostBind(host: number, cells: Uint8Array): () => void
  /** One 64-bit word of each record of the batch that is being read; -1 all. */
  hostLayOut(host: number, stage: number, word: number): void
  hostForget(host: number, stage: number): void
  hostFail(host: number, stage: string, reason: string): void
}
