// A submitter in a process of its own, to be killed: `node submitter-child.mjs '{"url":…,"journal":…,"key":…,"from":0,"count":3}'`.
// It takes up what its journal holds, submits `count` records, and prints each change of state as a line of JSON.
import {
  appendTransactionMessageInstruction,
  createKeyPairSignerFromPrivateKeyBytes,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit'
import { getAddMemoInstruction } from '@solana-program/memo'
import { createSubmitter } from 'velox-engine/solana'

const o = JSON.parse(process.argv[2])
const payer = await createKeyPairSignerFromPrivateKeyBytes(Buffer.from(o.key, 'hex'))

const template = {
  feePayer: payer.address,
  recordsPerTransaction: 1,
  build: (rows, lifetime) =>
    Promise.all(
      rows.map(async ({ id }) => {
        const memo = getAddMemoInstruction({ memo: String(id) }, { programAddress: o.memoProgram })
        const transaction = await pipe(
          createTransactionMessage({ version: 0 }),
          (m) => setTransactionMessageFeePayerSigner(payer, m),
          (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
          (m) => appendTransactionMessageInstruction(memo, m),
          (m) => signTransactionMessageWithSigners(m),
        )
        const base64 = getBase64EncodedWireTransaction(transaction)
        const signature = getSignatureFromTransaction(transaction)
        return { signature, base64, wire: Buffer.from(base64, 'base64'), records: 1, lamports: 5_000n, tipLamports: 0n }
      }),
    ),
}

const submitter = await createSubmitter({
  rpc: { url: o.url, perSecond: 1_000, ...o.rpc },
  template,
  limits: { maxLamports: 10n ** 9n },
  journal: o.journal,
  pollMillis: 30,
  resendMillis: 100,
})
const print = (value) =>
  process.stdout.write(`${JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v))}\n`)
const reading = (async () => {
  for await (const { state, signatures, resumed } of submitter.outcomes({ all: true }))
    print({ state, signatures, resumed })
})()
print({ state: 'open', open: submitter.stats().inFlight })
await Promise.all(Array.from({ length: o.count }, (_, i) => submitter.submit([{ id: o.from + i }])))
await submitter.close()
await reading
print({ state: 'closed', stats: submitter.stats() })
