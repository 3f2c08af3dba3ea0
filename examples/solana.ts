// Recorded trades become bundles, bundles Solana transactions that land as Jito bundles, and the ledger says what it cost: on a
// local Solana that executes them and checks every signature.
import { join } from 'node:path'
import { L2Book, pipeline, replay, sample } from 'velox-engine'
import { createSubmitter, memoTemplate, type Outcome } from 'velox-engine/solana'
import { localSolana } from './local-solana.js'

const solana = await localSolana('--jito-per-second', '100')
const market = replay(sample.btcusdt)
const book = new L2Book({ instrument: market.instrument() })
const submitter = await createSubmitter({
  rpc: { url: solana.url, ws: solana.wsUrl, perSecond: 200 },
  jito: { url: solana.jitoUrl, perSecond: 80 },
  template: memoTemplate({ signer: solana.signer, packing: 4 }),
  limits: { maxLamports: 100_000_000n, maxTipLamports: 10_000n },
  tip: 5_000n,
  journal: join(solana.folder, 'submitter.journal'),
})
const outcomes: Outcome[] = []
const reading = (async () => {
  for await (const outcome of submitter) outcomes.push(outcome)
})()

const run = await pipeline('solana')
  .from(market)
  .book(book)
  .trades()
  .sampleEvery(30)
  .transactions()
  .bundle({ max: 16, timeoutMicros: 5_000_000 })
  .to(submitter)
  .start()
const { balanced } = await run.done()
await submitter.close()
await reading

const landed = outcomes.filter(({ state }) => state === 'landed')
const records = landed.reduce((sum, outcome) => sum + outcome.records, 0)
console.log(
  `${records} recorded trades in ${landed.length} of ${outcomes.length} bundles landed, ${balanced ? 'balanced' : 'NOT balanced'}`,
)

interface Entry {
  readonly slot: number
  readonly bundleId: string
  readonly memos: readonly string[]
  readonly feeLamports: string
  readonly tipLamports: string
}
const ledger = await solana.ask<Entry[]>('ledger.landed', solana.signer.address)
for (const { slot, bundleId, memos, feeLamports, tipLamports } of ledger.slice(0, 5))
  console.log(
    `slot ${slot}, bundle ${bundleId.slice(0, 8)}…: ${memos.length} records, fee ${feeLamports}, tip ${tipLamports}, ${memos[0]}, …`,
  )
const { feeLamports, tipLamports } = await solana.ask<Entry>('ledger.spent', solana.signer.address)
const memos = Object.values(await solana.ask<Record<string, number>>('ledger.memos'))
console.log(`The ledger: ${ledger.length} transactions, ${memos.length} records, each ${Math.max(...memos)} time`)
console.log(
  `The ledger: ${feeLamports} lamports of fees and ${tipLamports} of tips; the submitter says ${submitter.stats().spentLamports} in all`,
)
solana.close()
if (BigInt(feeLamports) + BigInt(tipLamports) !== submitter.stats().spentLamports) process.exitCode = 1
