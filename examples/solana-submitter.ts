// Section 4 of the founding document: transactions are bundled into a ring, and a submitter turns bundles into Solana
// transactions that really land, on a local Solana.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Bundle, BundleBuilder, clock, RingBuffer } from 'velox-engine'
import { createSubmitter, memoTemplate, SolanaSubmitter } from 'velox-engine/solana'
import { localSolana } from './local-solana.js'

const solana = await localSolana()
const submitter = await createSubmitter({
  rpc: { url: solana.url, ws: solana.wsUrl, perSecond: 200 },
  template: memoTemplate({ signer: solana.signer, packing: 8, tip: false }),
  limits: { maxLamports: 1_000_000n },
  journal: join(solana.folder, 'submitter.journal'),
})
const telling = (async () => {
  for await (const outcome of submitter) {
    const [signature] = outcome.signatures
    if (outcome.state === 'landed') console.log(`Landed with ${outcome.records} transactions: ${signature}`)
    else console.error(`Failed to submit (${outcome.state})`, 'error' in outcome ? outcome.error : '')
  }
})()

const ring = new RingBuffer(Bundle, 1024)
const shutdown = new AbortController()
const running = new SolanaSubmitter(ring, submitter).run(shutdown.signal)

const builder = new BundleBuilder()
for (let id = 0; id < 50; id++) {
  builder.add({ id, price: 1_000_000, size: 100, side: 'bid', instrument: 0, ingressTsNs: clock.now() }, ring)
  await delay(1)
}
builder.forceFlush(ring)
shutdown.abort()
await running
await submitter.close()
await telling

const { landed, spentLamports } = submitter.stats()
console.log(`${landed} transactions landed, ${spentLamports} lamports spent`)
console.log(
  `The ledger says ${(await solana.ask<{ feeLamports: string }>('ledger.spent', solana.signer.address)).feeLamports}`,
)
solana.close()
