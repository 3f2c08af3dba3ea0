// A bundle of orders as signed Solana transactions, three ways in one interleaved run: by a native template, by `@solana/kit`
// as its users write it (warm, one by one and 16 at once), and by a byte template in JavaScript with `node:crypto`. Their bytes are
// held to be equal before anything is timed. Then when a bundle that comes alone is ready, and how long the event loop waits while
// bundles are built. Prints one line of JSON.
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import * as kit from '@solana/kit'
import { keypairFile } from '../dist/solana/signer.js'
import { transactionTemplate } from '../dist/solana/template.js'

/** Bundles on their way at once, where throughput is asked. */
const IN_FLIGHT = 4
const ROUNDS = Number(process.env.VELOX_BENCH_ROUNDS ?? 11)
const BUNDLES = Number(process.env.VELOX_BENCH_BUNDLES ?? 40)
const SIZE = 16
const WARM_BUNDLES = 60
const LOOP_SECONDS = 3

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(16)
const pair = Buffer.concat([secret, publicKey.export({ format: 'der', type: 'spki' }).subarray(12)])
const folder = mkdtempSync(join(tmpdir(), 'velox-solana-'))
const file = join(folder, 'id.json')
writeFileSync(file, JSON.stringify([...pair]))
chmodSync(file, 0o600)
const signer = keypairFile(file)
rmSync(folder, { recursive: true })
const kitSigner = await kit.createKeyPairSignerFromBytes(pair)
const nodeKey = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))

const program = kit.address('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr')
const market = kit.address('SysvarC1ock11111111111111111111111111111111')
const encoder = kit.getStructEncoder([
  ['discriminator', kit.getU8Encoder()],
  ['id', kit.getU64Encoder()],
  ['price', kit.getI64Encoder()],
  ['size', kit.getU32Encoder()],
])
const instruction = ({ id, price, size }) => ({
  programAddress: program,
  accounts: [{ address: market, role: kit.AccountRole.WRITABLE }],
  data: encoder.encode({ discriminator: 7, id, price, size }),
})
const base = (feePayer) =>
  kit.pipe(
    kit.createTransactionMessage({ version: 0 }),
    feePayer,
    (m) => kit.setTransactionMessageComputeUnitLimit(20_000, m),
    (m) => kit.setTransactionMessageComputeUnitPrice(1_000n, m),
  )
const blockhash = 'EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N'
const context = { blockhash, lastValidBlockHeight: 1n, computeUnitPrice: 1_000n }

let next = 1
const orders = () =>
  Array.from({ length: SIZE }, () => {
    const id = next++
    return { id, price: 618_003 + (id % 97), size: 1 + (id % 50), side: 'bid', instrument: 0, ingressTsNs: BigInt(id) }
  })

const template = await transactionTemplate({
  signer,
  message: base((m) => kit.setTransactionMessageFeePayer(kitSigner.address, m)),
  each: (order) => [instruction(order)],
})
const ours = async (bundle) => (await template.build(bundle, context)).map((signed) => signed.base64)

const kitBase = base((m) => kit.setTransactionMessageFeePayerSigner(kitSigner, m))
const lifetime = { blockhash, lastValidBlockHeight: 1n }
async function kitOne(order) {
  const message = kit.pipe(
    kitBase,
    (m) => kit.setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
    (m) => kit.appendTransactionMessageInstruction(instruction(order), m),
  )
  return kit.getBase64EncodedWireTransaction(await kit.signTransactionMessageWithSigners(message))
}
async function kitOneByOne(bundle) {
  const all = []
  for (const order of bundle) all.push(await kitOne(order))
  return all
}
const kitAtOnce = (bundle) => Promise.all(bundle.map(kitOne))

/** What a careful user writes by hand: one buffer, patched and signed on the event loop. */
const [first] = orders()
const wire = Buffer.from(await kitOne(first), 'base64')
const message = wire.subarray(65)
const dataAt = wire.length - 1 - 21
const hashAt = wire.indexOf(Buffer.from(kit.getBase58Encoder().encode(blockhash)))
const hash = Buffer.from(wire.subarray(hashAt, hashAt + 32))
function byteTemplate(bundle) {
  return bundle.map(({ id, price, size }) => {
    hash.copy(wire, hashAt)
    wire.writeBigUInt64LE(BigInt(id), dataAt + 1)
    wire.writeBigInt64LE(BigInt(price), dataAt + 9)
    wire.writeUInt32LE(size, dataAt + 17)
    sign(null, message, nodeKey).copy(wire, 1)
    return wire.toString('base64')
  })
}

const ways = { ours, kitOneByOne, kitAtOnce, byteTemplate }
const sample = orders()
const [expected] = await Promise.all([kitAtOnce(sample)])
for (const [name, build] of Object.entries(ways)) {
  const got = await build(sample)
  if (JSON.stringify(got) !== JSON.stringify(expected)) throw new Error(`${name} makes other bytes than kit`)
}

const sorted = (values) => values.toSorted((a, b) => a - b)
const at = (values, share) => sorted(values)[Math.min(values.length - 1, Math.floor(share * values.length))]
const told = (values) => ({ p10: at(values, 0.1), p50: at(values, 0.5), p90: at(values, 0.9), p99: at(values, 0.99) })

/** Microseconds of each bundle, one after another. */
async function timed(build, bundles) {
  const micros = []
  for (let i = 0; i < bundles; i++) {
    const bundle = orders()
    const start = process.hrtime.bigint()
    await build(bundle)
    micros.push(Number(process.hrtime.bigint() - start) / 1_000)
  }
  return micros
}

/** Microseconds a transaction, several bundles on their way at once. */
async function streamed(build, bundles) {
  const all = Array.from({ length: bundles }, orders)
  const start = process.hrtime.bigint()
  const lane = async () => {
    for (let bundle = all.pop(); bundle !== undefined; bundle = all.pop()) await build(bundle)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return Number(process.hrtime.bigint() - start) / 1_000 / bundles / SIZE
}

for (const build of Object.values(ways)) await timed(build, WARM_BUNDLES)
const perTransaction = { ours: [], kitOneByOne: [], kitAtOnce: [], byteTemplate: [] }
const ready = []
const readyOne = []
for (let round = 0; round < ROUNDS; round++) {
  perTransaction.ours.push(await streamed(ours, BUNDLES))
  // One transaction after another, and no other bundle meanwhile.
  perTransaction.kitOneByOne.push(at(await timed(kitOneByOne, BUNDLES / 8), 0.5) / SIZE)
  perTransaction.kitAtOnce.push(await streamed(kitAtOnce, BUNDLES / 4))
  perTransaction.byteTemplate.push(await streamed(byteTemplate, BUNDLES))
  ready.push(...(await timed(ours, BUNDLES)))
  readyOne.push(...(await timed((bundle) => ours(bundle.slice(0, 1)), BUNDLES)))
}

/** The delay of the event loop while bundles are built one after another, and while nothing is: the machine's own. */
async function loopDelay(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const end = performance.now() + LOOP_SECONDS * 1_000
  let bundles = 0
  while (performance.now() < end) {
    await work()
    bundles++
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  delay.disable()
  const millis = (nanos) => Math.max(0, nanos / 1e6 - 1)
  return { bundles, p50: millis(delay.percentile(50)), p99: millis(delay.percentile(99)), max: millis(delay.max) }
}
const idle = await loopDelay(async () => {})
const building = await loopDelay(() => ours(orders()))

const ratios = (a, b) => told(a.map((value, i) => value / b[i]))
const micros = Object.fromEntries(Object.entries(perTransaction).map(([name, values]) => [name, told(values)]))
console.log(
  JSON.stringify({
    bench: 'solana',
    rounds: ROUNDS,
    bytes: wire.length,
    micros,
    byKitOneByOne: ratios(perTransaction.kitOneByOne, perTransaction.ours),
    byKitAtOnce: ratios(perTransaction.kitAtOnce, perTransaction.ours),
    byByteTemplate: ratios(perTransaction.byteTemplate, perTransaction.ours),
    readyMicros: told(ready),
    readyOneMicros: told(readyOne),
    loop: { idle, building },
  }),
)
