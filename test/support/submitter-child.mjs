// A submitter in a process of its own, to be killed: `node submitter-child.mjs '{"url":…,"journal":…,"key":…,"from":0,"count":3}'`.
// It takes up what its journal holds, submits `count` records, `group` (1) at once, and prints each change of state as a line of JSON.
// With `jito` they go as bundles; `oneByOne` waits for each.
import {
  appendTransactionMessageInstructions,
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
import { getTransferSolInstruction } from '@solana-program/system'
import { createSubmitter } from 'velox-engine/solana'

const o = JSON.parse(process.argv[2])
const payer = await createKeyPairSignerFromPrivateKeyBytes(Buffer.from(o.key, 'hex'))

const template = {
  feePayer: payer.address,
  recordsPerTransaction: 1,
  build: (rows, { tip, ...lifetime }) =>
    Promise.all(
      rows.map(async ({ id }, i) => {
        const own = i === rows.length - 1 ? tip : undefined
        const pays = own && getTransferSolInstruction({ source: payer, destination: own.account, amount: own.lamports })
        const memo = getAddMemoInstruction({ memo: String(id) }, { programAddress: o.memoProgram })
        const transaction = await pipe(
          createTransactionMessage({ version: 0 }),
          (m) => setTransactionMessageFeePayerSigner(payer, m),
          (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
          (m) => appendTransactionMessageInstructions(pays ? [memo, pays] : [memo], m),
          (m) => signTransactionMessageWithSigners(m),
        )
        const base64 = getBase64EncodedWireTransaction(transaction)
        const signature = getSignatureFromTransaction(transaction)
        const wire = Buffer.from(base64, 'base64')
        return { signature, base64, wire, records: 1, lamports: 5_000n, tipLamports: own?.lamports ?? 0n }
      }),
    ),
}

const submitter = await createSubmitter({
  rpc: { url: o.url, perSecond: 1_000, ...o.rpc },
  ...(o.jito && { jito: o.jito, tip: 2_000n }),
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
const { group = 1 } = o
const rows = (at) => Array.from({ length: Math.min(group, o.count - at) }, (_, i) => ({ id: o.from + at + i }))
if (o.oneByOne) for (let at = 0; at < o.count; at += group) await submitter.submit(rows(at))
else await Promise.all(Array.from({ length: Math.ceil(o.count / group) }, (_, i) => submitter.submit(rows(i * group))))
await submitter.close()
await reading
print({ state: 'closed', stats: submitter.stats() })
