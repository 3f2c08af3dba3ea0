import { inspect } from 'node:util'
import * as kit from '@solana/kit'
import { VeloxError } from 'velox-engine'
import { createSubmitter, JitoClient, messageBuilder, transactionTemplate } from 'velox-engine/solana'
import { expect, test } from 'vitest'
import { memoTemplate } from '../dist/solana/memo.js'
import { keypairFile, keypairFromEnvironment } from '../dist/solana/signer.js'
import { node, root } from './support/node.js'
import { asKeyFile, keyFile, pairBytes, tells } from './support/solana-key.js'

const everything = (error: unknown) =>
  `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error, (_, value) => (typeof value === 'bigint' ? `${value}` : value))} ${error}`

function thrown(f: () => unknown): VeloxError {
  try {
    f()
  } catch (error) {
    if (error instanceof VeloxError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('a key file gives a signer that shows its address and nothing else', () => {
  const pair = pairBytes()
  const signer = keypairFile(keyFile(asKeyFile(pair)))
  expect(signer.address).toBe(kit.getAddressDecoder().decode(pair.subarray(32)))
  expect(tells(asKeyFile(pair), pair)).toBe(true)
  expect(Object.keys(signer)).toEqual(['address'])
  expect(tells(everything(signer), pair)).toBe(false)
})

test.skipIf(process.platform === 'win32')('a key file that others can read is refused', () => {
  const pair = pairBytes()
  for (const mode of [0o644, 0o640, 0o604, 0o666]) {
    const path = keyFile(asKeyFile(pair), mode)
    const error = thrown(() => keypairFile(path))
    expect(error).toMatchObject({
      code: 'VELOX_KEY_REFUSED',
      context: {
        source: path,
        expected: 'a file that only its owner can read (chmod 600)',
        got: `mode ${mode.toString(8)}`,
      },
    })
    expect(tells(everything(error), pair)).toBe(false)
  }
})

test('what is no key is refused, without a byte of it', () => {
  const pair = pairBytes()
  const foreign = Buffer.concat([pair.subarray(0, 32), pairBytes().subarray(32)])
  const texts = [
    asKeyFile(foreign),
    asKeyFile(pair.subarray(0, 63)),
    asKeyFile(pair).replace(',', ',999,'),
    JSON.stringify({ key: [...pair] }),
    `${asKeyFile(pair)}x`,
    '',
  ]
  for (const text of texts) {
    const error = thrown(() => keypairFile(keyFile(text)))
    expect(error.code).toBe('VELOX_KEY_REFUSED')
    expect(tells(everything(error), pair)).toBe(false)
  }
  expect(thrown(() => keypairFile('/nowhere/id.json')).code).toBe('VELOX_FILE_NOT_FOUND')
  expect(thrown(() => keypairFile(7 as never)).code).toBe('VELOX_INVALID_VALUE')
})

test('a key given in the place of its path or its variable is not told', () => {
  const pair = pairBytes()
  const base58 = kit.getBase58Decoder().decode(pair)
  for (const text of [asKeyFile(pair), base58]) {
    for (const read of [keypairFile, keypairFromEnvironment]) {
      expect(tells(everything(thrown(() => read(text))), pair)).toBe(false)
    }
  }
})

test('a key as other libraries have it is refused wherever it is given, and not told', async () => {
  const pair = pairBytes()
  const signer = keypairFile(keyFile(asKeyFile(pairBytes())))
  class Keypair {
    readonly secretKey = new Uint8Array(pair)
  }
  const base58 = kit.getBase58Decoder().decode(pair)
  const submitter = { rpc: 'http://127.0.0.1:1', limits: { maxLamports: 1n }, journal: false } as const
  for (const key of [[...pair], new Uint8Array(pair), new Keypair(), base58, pair.toString('hex')] as never[]) {
    const template = { message: {} as never, each: () => [] }
    const places: (() => unknown)[] = [
      () => keypairFile(key),
      () => keypairFromEnvironment(key),
      () => memoTemplate(key),
      () => memoTemplate({ signer: key }),
      () => transactionTemplate({ ...template, signer: key }),
      () => transactionTemplate({ ...template, signer, signers: [key] }),
      () => messageBuilder({ feePayer: key, build: () => [] }),
      () => createSubmitter({ ...submitter, signer: key }),
      () => createSubmitter({ ...submitter, template: key }),
      () => createSubmitter({ ...submitter, signer, rpc: { url: key } }),
      () => createSubmitter({ ...submitter, signer, rpc: { url: submitter.rpc, headers: key } }),
      () => new JitoClient({ url: key }),
    ]
    // A text may be a UUID.
    if (typeof key !== 'string') places.push(() => new JitoClient({ url: submitter.rpc, auth: key }))
    for (const [i, place] of places.entries()) {
      const error = await (async () => place())().catch((thrown: unknown) => thrown)
      expect([i, error instanceof VeloxError]).toEqual([i, true])
      expect([i, tells(everything(error), pair)]).toEqual([i, false])
    }
  }
})

test('an address of another protocol in the place of a key file is not told whole', () => {
  const error = thrown(() => keypairFile(new URL('https://vault.example/my-api-key')))
  expect(error.message).toBe('path: expected a file: URL, got one that begins with https:')
  expect(everything(error)).not.toContain('my-api-key')
  expect(thrown(() => keypairFile('')).message).toBe('path: expected the path of a file, got ""')
})

test('a variable of the environment gives the same signer, as an array or as base58', async () => {
  const pair = pairBytes()
  const address = kit.getAddressDecoder().decode(pair.subarray(32))
  const code = `
    import { keypairFromEnvironment } from ${JSON.stringify(new URL('../dist/solana/signer.js', import.meta.url).href)}
    console.log(keypairFromEnvironment('VELOX_TEST_KEY'))`
  for (const text of [asKeyFile(pair), kit.getBase58Decoder().decode(pair)]) {
    const ended = await node(['--input-type=module', '--eval', code], { cwd: root, env: { VELOX_TEST_KEY: text } })
    expect(ended.stdout).toContain(address)
    expect(tells(ended.stdout + ended.stderr, pair)).toBe(false)
  }
  const wrong = `${asKeyFile(pair)}?`
  const ended = await node(['--input-type=module', '--eval', code], { cwd: root, env: { VELOX_TEST_KEY: wrong } })
  expect(ended.status).toBe(1)
  expect(ended.stderr).toContain('VELOX_KEY_REFUSED')
  expect(tells(ended.stdout + ended.stderr, pair)).toBe(false)
  const unset = thrown(() => keypairFromEnvironment('VELOX_NO_SUCH_KEY'))
  expect(unset.message).toBe('the environment variable VELOX_NO_SUCH_KEY: expected a key, got nothing there')
})

test('nothing that a template throws or gives has anything of its key', async () => {
  const pair = pairBytes()
  const template = memoTemplate({ signer: keypairFile(keyFile(asKeyFile(pair))) })
  const row = { id: 1, price: 1, size: 1, side: 'bid' as const, instrument: 0, ingressTsNs: 1n }
  const good = { blockhash: '11111111111111111111111111111111', lastValidBlockHeight: 1n, computeUnitPrice: 0n }
  const bad = [
    { ...good, blockhash: '' },
    { ...good, tip: { lamports: 1n, account: template.feePayer } },
  ]
  const told: unknown[] = [template, await template.build([row], good)]
  for (const context of bad) told.push(await template.build([row], context).catch((error: unknown) => error))
  told.push(await template.build([{ ...row, size: -1 }], good).catch((error: unknown) => error))
  expect(told.slice(2).every((error) => error instanceof VeloxError)).toBe(true)
  for (const each of told) expect(tells(everything(each), pair)).toBe(false)
})
