// Section 4 of the founding document: one bundle to Jito's block engine, here the local one, and what became of it.
import { setTimeout as delay } from 'node:timers/promises'
import type { Bundle, Infer } from 'velox-engine'
import { JitoClient, memoTemplate } from 'velox-engine/solana'
import { localSolana } from './local-solana.js'

const solana = await localSolana('--jito-per-second', '20')
const client = new JitoClient({
  url: solana.jitoUrl, // out there: https://mainnet.block-engine.jito.wtf
  perSecond: 20, // and there 1
  rpc: solana.url,
  template: memoTemplate({ signer: solana.signer, packing: 4 }),
  tip: 5_000n,
})

const transactions = Array.from({ length: 16 }, (_, id) => ({
  id,
  price: 1_000_000 + id,
  size: 100,
  side: 'bid' as const,
  instrument: 0,
  ingressTsNs: 0n,
}))
const bundle: Infer<typeof Bundle> = { transactions, count: transactions.length, createdTsNs: 0n }

console.log(`Sending ${bundle.count} transactions to Jito`)
const id = await client.sendBundle(bundle)
console.log(`Bundle submitted: ${id}`)
for (let status = ''; status !== 'landed'; await delay(100)) {
  status = await client.getBundleStatus(id)
  console.log(`Bundle status: ${status}`)
}
const landed = await solana.ask<{ tipLamports: string; memos: string[] }[]>('ledger.landed', solana.signer.address)
for (const { memos, tipLamports } of landed) console.log(`${memos.length} memos, ${tipLamports} lamports of tip`)
client.close()
solana.close()
