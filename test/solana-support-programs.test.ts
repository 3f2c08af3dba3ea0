import {
  AccountRole,
  type Address,
  appendTransactionMessageInstructions,
  compressTransactionMessageUsingAddressLookupTables,
  createTransactionMessage,
  generateKeyPairSigner,
  getAddressEncoder,
  getBase64EncodedWireTransaction,
  getProgramDerivedAddress,
  getSignatureFromTransaction,
  type Instruction,
  type KeyPairSigner,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  setTransactionMessageLifetimeUsingDurableNonce,
  signTransactionMessageWithSigners,
} from '@solana/kit'
import { expect, test } from 'vitest'
import { type Cluster, startCluster, TIP_ACCOUNTS } from './support/solana/index.js'
import { latest, memo, nonceAccount, nonceIn, payer, signed, tip, transfer } from './support/solana/kit.js'
import { post } from './support/solana/raw.js'

const SYSTEM = '11111111111111111111111111111111' as Address
const LOOKUP_TABLES = 'AddressLookupTab1e1111111111111111111111111' as Address

async function ready() {
  const cluster = await startCluster({ slotMillis: 0, jitoPerSecond: Infinity })
  return { cluster, from: await payer(cluster), [Symbol.asyncDispose]: () => cluster.close() }
}

const send = (cluster: Cluster, base64: string) =>
  post(cluster.url, 'sendTransaction', [base64, { encoding: 'base64', preflightCommitment: 'processed' }])

const bytes = (...parts: (number | bigint | Uint8Array)[]) =>
  new Uint8Array(
    Buffer.concat(
      parts.map((part) => {
        if (part instanceof Uint8Array) return part
        const number = Buffer.alloc(typeof part === 'bigint' ? 8 : 4)
        if (typeof part === 'bigint') number.writeBigUInt64LE(part)
        else number.writeUInt32LE(part)
        return number
      }),
    ),
  )

/** Makes a lookup table of `addresses` by its program: created with a recent slot, then filled. */
async function lookupTable(cluster: Cluster, from: KeyPairSigner, addresses: readonly Address[]): Promise<Address> {
  const encoder = getAddressEncoder()
  const slot = BigInt(cluster.slot)
  const seeds = [encoder.encode(from.address), bytes(slot)]
  const [table, bump] = await getProgramDerivedAddress({ programAddress: LOOKUP_TABLES, seeds })
  const accounts = [
    { address: table, role: AccountRole.WRITABLE },
    { address: from.address, role: AccountRole.READONLY_SIGNER },
    { address: from.address, role: AccountRole.WRITABLE_SIGNER },
    { address: SYSTEM, role: AccountRole.READONLY },
  ]
  const create = { programAddress: LOOKUP_TABLES, accounts, data: bytes(0, slot, Uint8Array.of(bump)) }
  const filled = addresses.map((name) => new Uint8Array(encoder.encode(name)))
  const extend = { programAddress: LOOKUP_TABLES, accounts, data: bytes(2, BigInt(addresses.length), ...filled) }
  const { base64 } = await signed(from, await latest(cluster), create, extend)
  const { error } = await send(cluster, base64)
  if (error) throw new Error(JSON.stringify(error))
  cluster.tick(2)
  return table
}

async function compressed(
  cluster: Cluster,
  from: KeyPairSigner,
  table: Address,
  addresses: Address[],
  ...instructions: Instruction[]
) {
  const lifetime = await latest(cluster)
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(from, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
    (m) => appendTransactionMessageInstructions(instructions, m),
    (m) => compressTransactionMessageUsingAddressLookupTables(m, { [table]: addresses }),
  )
  return getBase64EncodedWireTransaction(await signTransactionMessageWithSigners(message))
}

test('accounts of a lookup table are reached, told at each commitment, and undone with their bundle', async () => {
  await using it = await ready()
  const { cluster, from } = it
  const to = (await generateKeyPairSigner()).address
  const table = await lookupTable(cluster, from, [to])
  const base64 = await compressed(cluster, from, table, [to], transfer(from, to, 5_000_000n))
  expect((await send(cluster, base64)).error).toBe(undefined)
  cluster.tick()
  expect(cluster.ledger.balance(to)).toBe(5_000_000n)
  const confirmed = await post(cluster.url, 'getBalance', [to, { commitment: 'confirmed' }])
  expect(confirmed.result).toMatchObject({ value: 0 })
  const bundle = [
    await compressed(cluster, from, table, [to], transfer(from, to, 7_000_000n), tip(from)),
    (await signed(from, await latest(cluster), transfer(from, to, 100_000_000_000n))).base64,
  ]
  const { url } = cluster.region()
  const sent = await post(`${url}/api/v1/bundles`, 'sendBundle', [bundle, { encoding: 'base64' }])
  expect(sent.status).toBe(200)
  cluster.tick()
  expect(cluster.ledger.bundles()).toMatchObject([{ state: 'failed' }])
  expect(cluster.ledger.balance(to)).toBe(5_000_000n)
})

test('a tip account in a lookup table is none', async () => {
  await using it = await ready()
  const { cluster, from } = it
  const [account] = TIP_ACCOUNTS as [Address]
  const table = await lookupTable(cluster, from, [account])
  const bundle = [await compressed(cluster, from, table, [account], tip(from))]
  const { url } = cluster.region()
  const { error } = await post(`${url}/api/v1/bundles`, 'sendBundle', [bundle, { encoding: 'base64' }])
  expect(error?.message).toBe('Bundles must write lock at least one tip account')
})

test('a transaction with a durable nonce does not grow old, and lands once', async () => {
  await using it = await ready()
  const { cluster, from } = it
  const { account, made } = await nonceAccount(from, await latest(cluster))
  expect((await send(cluster, made.base64)).error).toBe(undefined)
  cluster.tick()
  const nonce = await nonceIn(cluster, account)
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(from, m),
    (m) =>
      setTransactionMessageLifetimeUsingDurableNonce(
        { nonce, nonceAccountAddress: account, nonceAuthorityAddress: from.address },
        m,
      ),
    (m) => appendTransactionMessageInstructions([memo('durable')], m),
  )
  const transaction = await signTransactionMessageWithSigners(message)
  const base64 = getBase64EncodedWireTransaction(transaction)
  cluster.jump(200)
  expect((await send(cluster, base64)).error).toBe(undefined)
  cluster.tick()
  expect(cluster.ledger.transaction(getSignatureFromTransaction(transaction))).toMatchObject({ err: null })
  expect((await send(cluster, base64)).error?.data?.['err']).toBe('AlreadyProcessed')
  cluster.tick()
  expect(cluster.ledger.memos()).toEqual(new Map([['durable', 1]]))
})
