import { once } from 'node:events'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import * as kit from '@solana/kit'
import { getTransferSolInstruction } from '@solana-program/system'
import fc from 'fast-check'
import { FailedTransactionMetadata, LiteSVM } from 'litesvm'
import { f64, i64, nanos, record, side, Transaction, text, u8, u16, u32, u64, VeloxError } from 'velox-engine'
import { beforeEach, expect, test } from 'vitest'
import { memoTemplate } from '../dist/solana/memo.js'
import { resolve } from '../dist/solana/resolved.js'
import { keypairFile, type Signer } from '../dist/solana/signer.js'
import { transactionTemplate } from '../dist/solana/template.js'
import { asKeyFile, keyFile, pairBytes } from './support/solana-key.js'

const MEMO = kit.address('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr')
const TIP_ACCOUNT = kit.address('96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5')
const BLOCKHASH = 'EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N'
const CONTEXT = { blockhash: BLOCKHASH, lastValidBlockHeight: 1n, computeUnitPrice: 0n }
const SOL = 1_000_000_000n

let pair: Buffer
let signer: Signer
let svm: LiteSVM

beforeEach(() => {
  pair = pairBytes()
  signer = keypairFile(keyFile(asKeyFile(pair)))
  svm = new LiteSVM()
  svm.airdrop(kit.address(signer.address), kit.lamports(10n * SOL))
  svm.airdrop(TIP_ACCOUNT, kit.lamports(SOL))
})

const order = (id: number, o: { price?: number; size?: number; side?: 'bid' | 'ask'; instrument?: number } = {}) => ({
  id,
  price: 618_003,
  size: 1,
  side: 'bid' as const,
  instrument: 0,
  ingressTsNs: 1_723_118_400_000_000_000n,
  ...o,
})

const message = (version: 0 | 'legacy' = 0) =>
  kit.pipe(kit.createTransactionMessage({ version }), (m) =>
    kit.setTransactionMessageFeePayer(kit.address(signer.address), m),
  )

const live = () => ({ ...CONTEXT, blockhash: svm.latestBlockhash() as string })

function executed(wire: Uint8Array) {
  const result = svm.sendTransaction(kit.getTransactionDecoder().decode(wire) as never)
  if (result instanceof FailedTransactionMetadata) throw new Error(`${result.err()} ${result.meta().logs().join('\n')}`)
  return result
}

/** What the message of a transaction says. */
function said(wire: Uint8Array) {
  const { messageBytes } = kit.getTransactionDecoder().decode(wire)
  return resolve(kit.getCompiledTransactionMessageDecoder().decode(messageBytes))
}

/** The longest text that a record of Transaction can become. */
const longest = (id: number) => ({
  id: BigInt.asUintN(64, -1n) - BigInt(id),
  price: -(2n ** 63n),
  size: 0xffff_ffff,
  side: 'bid' as const,
  instrument: 0xffff,
  ingressTsNs: 2n ** 64n - 1n,
})

test('memos of records run, and say the records', async () => {
  const template = memoTemplate({ signer, packing: 4 })
  const tip = { lamports: 5_000n, account: TIP_ACCOUNT }
  const before = svm.getBalance(kit.address(signer.address)) as bigint
  const signed = await template.build(
    [1, 2, 3, 4, 5, 6].map((id) => order(id)),
    { ...live(), computeUnitPrice: 1_000n, tip },
  )
  expect(signed.map(({ records, tipLamports }) => [records, tipLamports])).toEqual([
    [4, 0n],
    [2, 5_000n],
  ])
  const logs = signed.flatMap(({ wire }) => executed(wire).logs())
  for (const id of [1, 6]) {
    expect(logs.join('\n')).toContain(`${id},618003,1,bid,0,1723118400000000000`)
  }
  expect(svm.getBalance(TIP_ACCOUNT)).toBe(SOL + 5_000n)
  const spent = before - (svm.getBalance(kit.address(signer.address)) as bigint)
  expect(spent).toBe(signed.reduce((sum, { lamports, tipLamports }) => sum + lamports + tipLamports, 0n))
})

test('the longest memos that are packed fit their bytes and their units', async () => {
  const most = (() => {
    try {
      memoTemplate({ signer, packing: 100 })
    } catch (error) {
      if (error instanceof VeloxError && error.code === 'VELOX_TRANSACTION_TOO_LONG') return error.context.fits
    }
    throw new Error('100 memos fit')
  })()
  const template = memoTemplate({ signer, packing: most })
  const tip = { lamports: 1_000n, account: TIP_ACCOUNT }
  const records = Array.from({ length: most }, (_, i) => longest(i))
  const [signed] = await template.build(records, { ...live(), tip })
  expect(signed?.records).toBe(most)
  expect(signed?.wire.length).toBeLessThanOrEqual(1_232)
  const units = Number(executed(signed?.wire as Uint8Array).computeUnitsConsumed())
  const { length } = records.map((record) => Object.values(record).join(',')).join('')
  // The program's documentation has 566 bytes in 200,000 units.
  expect(units).toBeLessThan((200_000 / 566) * length)
})

test('a signature, base64 and wire bytes are what kit reads of them', async () => {
  const [signed] = await memoTemplate({ signer }).build([order(1)], CONTEXT)
  const transaction = kit.getTransactionDecoder().decode(signed?.wire as Uint8Array)
  expect(signed?.signature).toBe(kit.getSignatureFromTransaction(transaction as never))
  expect(signed?.base64).toBe(kit.getBase64EncodedWireTransaction(transaction))
  const key = await kit.createKeyPairFromBytes(pair)
  const signature = transaction.signatures[kit.address(signer.address)] as never
  expect(await kit.verifySignature(key.publicKey, signature, transaction.messageBytes)).toBe(true)
})

const encoder = kit.getStructEncoder([
  ['discriminator', kit.getU32Encoder()],
  ['id', kit.getU64Encoder()],
  ['price', kit.getI64Encoder()],
  ['size', kit.getU32Encoder({ endian: kit.Endian.Big })],
  ['side', kit.getU8Encoder()],
  ['sizeAgain', kit.getI64Encoder()],
])

const place = (o: { id: number; price: number; size: number; side: 'bid' | 'ask' }, market: kit.Address) => ({
  programAddress: MEMO,
  accounts: [{ address: market, role: kit.AccountRole.WRITABLE }],
  data: encoder.encode({
    discriminator: o.side === 'bid' ? 0x66_06_3d_12 : 0x33_e6_85_a4,
    id: o.id,
    price: o.price,
    size: o.size,
    side: o.side === 'bid' ? 0 : 1,
    sizeAgain: o.size,
  }),
})

const MARKETS = [kit.address('SysvarC1ock11111111111111111111111111111111'), TIP_ACCOUNT]

test.each([0, 'legacy'] as const)('what it signs is byte for byte what kit signs, version %s', async (version) => {
  const kitSigner = await kit.createKeyPairSignerFromBytes(pair)
  const market = MARKETS[0] as kit.Address
  const priced = kit.setTransactionMessageComputeUnitPrice(1n, message(version))
  const template = await transactionTemplate({ signer, message: priced, each: (o) => [place(o, market)] })
  const lifetime = { blockhash: BLOCKHASH as kit.Blockhash, lastValidBlockHeight: 1n }
  await fc.assert(
    fc.asyncProperty(
      fc.maxSafeNat(),
      fc.maxSafeInteger(),
      fc.nat(0xffff_ffff),
      fc.constantFrom('bid' as const, 'ask' as const),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      async (id, price, size, side, computeUnitPrice) => {
        const o = order(id, { price, size, side })
        const expected = await kit.signTransactionMessageWithSigners(
          kit.pipe(
            kit.createTransactionMessage({ version }),
            (m) => kit.setTransactionMessageFeePayerSigner(kitSigner, m),
            (m) => kit.setTransactionMessageComputeUnitPrice(computeUnitPrice, m),
            (m) => kit.setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
            (m) => kit.appendTransactionMessageInstruction(place(o, market), m),
          ),
        )
        const [signed] = await template.build([o], { ...CONTEXT, computeUnitPrice })
        expect(signed?.base64).toBe(kit.getBase64EncodedWireTransaction(expected))
      },
    ),
    { numRuns: 60 },
  )
})

test('several records with accounts by a table, and a tip, say what kit says of them', async () => {
  const template = await transactionTemplate({
    signer,
    message: message(),
    addresses: { market: { by: 'instrument', table: [MARKETS[0] as string, String(MEMO)] } },
    each: (o, { market }) => [{ ...place(o, market), accounts: [{ address: market, role: kit.AccountRole.READONLY }] }],
    packing: 3,
  })
  const records = [0, 1, 1, 0].map((instrument, i) => order(i, { instrument, size: i, side: i < 2 ? 'bid' : 'ask' }))
  const tip = { lamports: 1_234n, account: TIP_ACCOUNT }
  const signed = await template.build(records, { ...CONTEXT, tip })
  const expected = [records.slice(0, 3), records.slice(3)].map((packed, i) => {
    const instructions: kit.Instruction[] = packed.map((o) => ({
      ...place(o, MARKETS[0] as kit.Address),
      accounts: [{ address: o.instrument === 0 ? (MARKETS[0] as kit.Address) : MEMO, role: kit.AccountRole.READONLY }],
    }))
    const source = { address: kit.address(signer.address) } as kit.TransactionSigner
    if (i === 1)
      instructions.push(getTransferSolInstruction({ source, destination: TIP_ACCOUNT, amount: tip.lamports }))
    const whole = kit.appendTransactionMessageInstructions(instructions, message())
    return resolve(kit.compileTransactionMessage(whole as never))
  })
  expect(signed.map(({ wire }) => said(wire))).toEqual(expected)
})

test('transfers to each record’s own address move what they say, and it is counted', async () => {
  const Payout = record('Payout', { to: text(44), lamports: u64.big, id: u32 })
  const source = { address: kit.address(signer.address) } as kit.TransactionSigner
  const template = await transactionTemplate({
    signer,
    record: Payout,
    message: message(),
    addresses: { destination: { field: 'to' } },
    each: ({ lamports }, { destination }) => [getTransferSolInstruction({ source, destination, amount: lamports })],
    packing: 2,
  })
  const payees = await Promise.all([1, 2, 3].map(async () => (await kit.generateKeyPairSigner()).address))
  const payouts = payees.map((to, id) => ({ to, lamports: SOL + BigInt(id), id }))
  const signed = await template.build(payouts, live())
  expect(signed.map(({ lamports }) => lamports)).toEqual([2n * SOL + 1n + 5_000n, SOL + 2n + 5_000n])
  for (const { wire } of signed) executed(wire)
  expect(payees.map((payee) => svm.getBalance(payee))).toEqual([SOL, SOL + 1n, SOL + 2n])
  const wrong = template.build([{ to: 'not an address', lamports: 1n, id: 1 }], live())
  await expect(wrong).rejects.toMatchObject({
    code: 'VELOX_HOLE_OVERFLOW',
    context: { hole: 'destination', record: 0 },
  })
})

test('a worker that is ended while it builds takes nothing with it', async () => {
  const at = (path: string) => JSON.stringify(new URL(`../dist/solana/${path}.js`, import.meta.url).href)
  const path = keyFile(asKeyFile(pair))
  const code = `
    const { parentPort } = require('node:worker_threads')
    Promise.all([import(${at('memo')}), import(${at('signer')})]).then(async ([{ memoTemplate }, { keypairFile }]) => {
      const template = memoTemplate({ signer: keypairFile(${JSON.stringify(path)}) })
      const row = { price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 1n }
      const rows = Array.from({ length: 64 }, (_, id) => ({ ...row, id }))
      const context = { blockhash: ${JSON.stringify(BLOCKHASH)}, lastValidBlockHeight: 1n, computeUnitPrice: 0n }
      for (let i = 0; ; i++) {
        await Promise.all([1, 2, 3, 4].map(() => template.build(rows, context)))
        if (i === 1) parentPort.postMessage('builds')
      }
    })`
  for (let round = 0; round < 4; round++) {
    const worker = new Worker(code, { eval: true })
    await once(worker, 'message')
    await worker.terminate()
  }
  expect(await memoTemplate({ signer }).build([order(1)], CONTEXT)).toHaveLength(1)
})

test('a copy of a transaction has all of it', async () => {
  const [signed] = await memoTemplate({ signer }).build([order(1)], CONTEXT)
  const { wire, ...rest } = { ...signed }
  expect(Object.keys(rest).sort()).toEqual(['base64', 'hasNonce', 'lamports', 'records', 'signature', 'tipLamports'])
  expect(rest.base64).toBe(Buffer.from(wire as Uint8Array).toString('base64'))
})

test('records of a bundle are taken as they lie in memory', async () => {
  const template = memoTemplate({ signer, packing: 2 })
  const records = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((id) => order(id, { price: -id }))
  const bytes = new Uint8Array(new SharedArrayBuffer(32 * records.length))
  const view = new DataView(bytes.buffer)
  for (const [i, o] of records.entries()) {
    view.setBigUint64(32 * i, BigInt(o.id), true)
    view.setBigInt64(32 * i + 8, BigInt(o.price), true)
    view.setUint32(32 * i + 16, o.size, true)
    view.setBigUint64(32 * i + 24, o.ingressTsNs, true)
  }
  const wires = async (build: Promise<readonly { base64: string }[]>) => (await build).map(({ base64 }) => base64)
  const expected = await wires(template.build(records, CONTEXT))
  expect(await wires(template.buildBytes(bytes, CONTEXT))).toEqual(expected)
  // Shared memory of another realm is no SharedArrayBuffer of this one.
  const foreign = new Uint8Array(runInNewContext(`new SharedArrayBuffer(${bytes.length})`))
  foreign.set(bytes)
  expect(await wires(template.buildBytes(foreign, CONTEXT))).toEqual(expected)
  await expect(template.buildBytes(new Uint8Array(33), CONTEXT)).rejects.toMatchObject({
    code: 'VELOX_INVALID_VALUE',
    context: { field: 'records', expected: 'whole records of 32 bytes' },
  })
})

const refusal = async (made: Promise<unknown>) => {
  const error: unknown = await made.then(
    () => undefined,
    (error) => error,
  )
  if (!(error instanceof VeloxError)) throw new Error(`expected a VeloxError, got ${error}`)
  return `${error.code} ${error.message}`
}

test('a field that is calculated with, or that decides more than bytes, is refused', async () => {
  const of = (each: (o: ReturnType<typeof order>) => kit.Instruction[]) =>
    refusal(transactionTemplate({ signer, message: message(), each: each as never }))
  const u64Of = (value: bigint) => kit.getU64Encoder().encode(value)
  const one = (data: kit.ReadonlyUint8Array) => [{ programAddress: MEMO, accounts: [], data }]
  expect(await of((o) => one(u64Of(BigInt(o.id) * 10n)))).toContain('id, which is calculated with')
  expect(await of((o) => one(u64Of(BigInt(o.id) ^ BigInt(o.price))))).toContain('VELOX_TEMPLATE_INVALID')
  expect(await of((o) => one(new Uint8Array(Number(o.size) + 1)))).toContain('size, which changes more')
  expect(await of(() => [])).toContain('at least one instruction')
  expect(
    await of(() => {
      throw new Error('no')
    }),
  ).toContain('each: expected instructions of a record of zeros, got an error: no')
  const accounts = (o: { side: string }) => [{ address: MARKETS[o.side === 'bid' ? 0 : 1] as kit.Address, role: 1 }]
  expect(await of((o) => [{ programAddress: MEMO, accounts: accounts(o), data: new Uint8Array(1) }])).toContain(
    'addresses are declared in `addresses`',
  )
  // What clients of programs make of an address that isn't there.
  for (const account of [undefined, { role: 1 }, { address: '', role: 1 }])
    expect(await of((o) => [{ ...one(u64Of(BigInt(o.id)))[0], accounts: [account] } as never])).toContain(
      "each: expected accounts with an address, declared in `addresses` where it is the record's, got",
    )
  expect(await of((o) => [{ data: u64Of(BigInt(o.id)) } as never])).toContain(
    'expected instructions with a programAddress',
  )
  const unused = { market: { by: 'instrument', table: MARKETS } } as const
  const made = transactionTemplate({
    signer,
    message: message(),
    addresses: unused,
    each: (o) => one(u64Of(BigInt(o.id))),
  })
  expect(await refusal(made)).toContain('each: expected an account that is `addresses.market`, got none of it')
})

test('a text or a fraction can stand beside the fields that are used, and not be used', async () => {
  const Noted = record('Noted', { id: u32, note: text(20), weight: f64 })
  const row = { id: 7, note: 'hello', weight: 0.5 }
  const data = (bytes: Uint8Array) => [{ programAddress: MEMO, accounts: [], data: bytes }]
  const of = (each: (o: typeof row) => kit.Instruction[]) =>
    transactionTemplate({ signer, record: Noted, message: message(), each })
  const template = await of((o) => data(Uint8Array.of({ ...o }.id)))
  const [signed] = await template.build([row], CONTEXT)
  expect(said(signed?.wire as Uint8Array)[0]?.data).toBe('07')
  expect(await refusal(of((o) => data(Uint8Array.of(o.id, o.note.length))))).toContain('note, which is text')
  expect(await refusal(of((o) => data(Uint8Array.of(o.id, o.weight * 2))))).toContain('weight, which is f64')
})

test('bytes cut out of fields are found as they are cut', async () => {
  const each = (o: { id: number; price: number; size: number; side: string }) => [
    {
      programAddress: kit.address(TIP_ACCOUNT),
      accounts: [],
      data: Uint8Array.of(o.id & 0xff, (o.price >> 8) & 0xff, o.size & 0xff, o.side === 'bid' ? 0 : 1),
    },
  ]
  const template = await transactionTemplate({ signer, message: message(), each })
  const [signed] = await template.build([order(0x1234, { price: -3, size: 0xabcd, side: 'ask' })], CONTEXT)
  expect(said(signed?.wire as Uint8Array)[0]?.data).toBe('34ffcd01')
})

test('a value that does not fit its hole names hole, value and range', async () => {
  const Narrow = record('Narrow', { size: u32, price: i64, when: nanos, kind: u8, way: side, market: u16 })
  const data = kit.getStructEncoder([
    ['size', kit.getU16Encoder()],
    ['price', kit.getU64Encoder()],
    ['when', kit.getI64Encoder()],
  ])
  const template = await transactionTemplate({
    signer,
    record: Narrow,
    message: message(),
    each: ({ size, price, when }) => [{ programAddress: MEMO, accounts: [], data: data.encode({ size, price, when }) }],
  })
  const row = { size: 1, price: 1, when: 1n, kind: 0, way: 'bid' as const, market: 0 }
  const overflow = (o: object, hole: string, expected: string, got: string) =>
    expect(template.build([row, { ...row, ...o }], CONTEXT)).rejects.toMatchObject({
      code: 'VELOX_HOLE_OVERFLOW',
      context: { hole, record: 1, expected, got },
    })
  await overflow({ size: 65_536 }, 'size', '0 to 65535', '65536')
  await overflow({ price: -1 }, 'price', '0 to 18446744073709551615', '-1')
  await overflow({ when: 2n ** 63n }, 'when', '-9223372036854775808 to 9223372036854775807', '9223372036854775808')
  // What doesn't even fit the record is refused as everywhere.
  await expect(template.build([{ ...row, size: -1 }], CONTEXT)).rejects.toMatchObject({ code: 'VELOX_INVALID_VALUE' })
})

test('contexts that can not be are refused, and nothing is built', async () => {
  const template = memoTemplate({ signer })
  const refused = (o: object) => refusal(template.build([order(1)], { ...CONTEXT, ...o } as never))
  expect(await refused({ blockhash: 'short' })).toMatch(/^VELOX_INVALID_VALUE blockhash: expected 32 bytes in base58/)
  expect(await refused({ computeUnitPrice: -1n })).toContain('computeUnitPrice: expected a bigint, 0n to 2^64 - 1')
  const tip = (lamports: bigint, account: string) => refused({ tip: { lamports, account } })
  expect(await tip(999n, TIP_ACCOUNT)).toContain('tip.lamports: expected at least 1000, got 999')
  expect(await tip(1_000n, signer.address)).toContain('tip.account: expected an account that neither pays')
  expect(await tip(1_000n, 'x')).toContain('tip.account: expected 32 bytes in base58')
  const untipped = memoTemplate({ signer, tip: false }).build([order(1)], {
    ...CONTEXT,
    tip: { lamports: 1_000n, account: TIP_ACCOUNT },
  })
  expect(await refusal(untipped)).toContain('tip: expected none')
  expect(await refusal(template.build([order(1), order(1)], CONTEXT))).toContain('two that are equal')
  const plain = await transactionTemplate({ signer, message: message(), each: (o) => [place(o, TIP_ACCOUNT)] })
  expect(await refusal(plain.build([order(1)], { ...CONTEXT, computeUnitPrice: 1n }))).toContain(
    'the message has no SetComputeUnitPrice instruction',
  )
  expect(await template.build([], CONTEXT)).toEqual([])
})

test('messages that no template can hold are refused', async () => {
  const each = (o: ReturnType<typeof order>) => [place(o, TIP_ACCOUNT)]
  const of = (o: object) => refusal(transactionTemplate({ signer, message: message(), each, ...o } as never))
  const nonce = kit.setTransactionMessageLifetimeUsingDurableNonce(
    {
      nonce: BLOCKHASH as kit.Nonce,
      nonceAccountAddress: TIP_ACCOUNT,
      nonceAuthorityAddress: kit.address(signer.address),
    },
    message(),
  )
  expect(await of({ message: nonce })).toContain('expected a hole for a fresh blockhash; messageBuilder takes nonces')
  expect(await of({ packing: 100 })).toMatch(/^VELOX_TRANSACTION_TOO_LONG 100 records.*at most 1232 bytes.*\d+ fit$/)
  expect(await of({ packing: 0 })).toContain('packing: expected a whole number, 1 to 1232')
  expect(await of({ signer: {} })).toContain('signer: expected what keypairFile or keypairFromEnvironment gave')
  const other = keypairFile(keyFile(asKeyFile(pairBytes())))
  expect(await of({ signer: other })).toContain(`expected the key of ${signer.address}, which signs`)
  expect(await of({ spends: ['ingressTsNs'] })).toContain('expected an instruction that has what it spends')
  const bytes = (...data: readonly number[]) => [{ programAddress: MEMO, data: new Uint8Array(data) }]
  const cut = ({ size }: { size: number }) => bytes(size & 255, (size >> 16) & 255)
  expect(await of({ each: cut, spends: ['size'] })).toContain('that has what it spends, as a whole number, got size')
  // What is asked of a record, instead of put in, shows in few of them.
  for (let i = 0; i < 5; i++) {
    const large = ({ size }: { size: number }) => bytes(size > 1_000_000 ? 1 : 0, size & 255)
    expect(await of({ each: large })).toContain('VELOX_TEMPLATE_INVALID')
    const half = (o: { side: string; size: number }) => bytes(o.side === 'ask' ? o.size & 255 : 0)
    expect(await of({ each: half })).toContain('VELOX_TEMPLATE_INVALID')
  }
  expect(await of({ record: Transaction, addresses: { m: { by: 'qty', table: [MEMO] } } })).toContain(
    'VELOX_UNKNOWN_FIELD',
  )
  expect(await of({ typo: 1 })).toContain('VELOX_UNKNOWN_OPTION')
  const table = { [TIP_ACCOUNT]: [MARKETS[0] as kit.Address, TIP_ACCOUNT] }
  const tables = { [kit.address('SysvarRent111111111111111111111111111111111')]: table[TIP_ACCOUNT] } as never
  const looked = kit.compressTransactionMessageUsingAddressLookupTables(
    kit.appendTransactionMessageInstruction(
      { programAddress: MEMO, accounts: [{ address: TIP_ACCOUNT, role: 1 }], data: new Uint8Array([65]) },
      kit.setTransactionMessageFeePayer(kit.address(signer.address), kit.createTransactionMessage({ version: 0 })),
    ),
    tables,
  )
  const market = MARKETS[0] as kit.Address
  const behind = await transactionTemplate({ signer, message: looked as never, each: (o) => [place(o, market)] })
  const tip = { lamports: 1_000n, account: TIP_ACCOUNT }
  expect(await refusal(behind.build([order(1)], { ...CONTEXT, tip }))).toContain(
    'tip.account: expected an account that is in no lookup table of the message',
  )
})
