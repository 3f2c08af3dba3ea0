import type { Address, KeyPairSigner } from '@solana/kit'
import { generateKeyPairSigner } from '@solana/kit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Chain } from './support/solana/chain/chain.js'
import { OpenBlock } from './support/solana/chain/open-block.js'
import { parseTransaction, type WireTransaction } from './support/solana/chain/transaction.js'
import { type Lifetime, memo, signed, tip, transfer } from './support/solana/kit.js'

const SOL = 1_000_000_000n

const people: readonly KeyPairSigner[] = await Promise.all(Array.from({ length: 4 }, () => generateKeyPairSigner()))

/** From, to, and the part of what `from` has: all of it empties the account, twice of it fails. */
type Step = readonly [from: number, to: number, percent: number]

const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(3), fc.nat(3), fc.constantFrom(1, 30, 100, 200))
const block = fc.record({ isBundle: fc.boolean(), steps: fc.array(step, { minLength: 1, maxLength: 4 }) })

let serial = 0

async function transaction(chain: Chain, [from, to, percent]: Step): Promise<WireTransaction> {
  const [source, target] = [people[from], people[to]] as [KeyPairSigner, KeyPairSigner]
  const lifetime = { blockhash: chain.blocks.newest.blockhash as Lifetime['blockhash'], lastValidBlockHeight: 0n }
  // The fee goes first, so that the whole of the rest can be given.
  const has = chain.accounts.lamports(source.address) - 5000n
  const amount = has > 0n ? (has * BigInt(percent)) / 100n : 1n
  const { base64 } = await signed(source, lifetime, transfer(source, target.address, amount), memo(`${serial++}`))
  return parseTransaction(new Uint8Array(Buffer.from(base64, 'base64')))
}

const balances = (chain: Chain) => people.map(({ address }) => chain.accounts.lamports(address))

test('accounts are at every slot what a model wrote down then, whatever landed, failed or was rolled back', async () => {
  const course = async (blocks: { isBundle: boolean; steps: Step[] }[]) => {
    const chain = new Chain(1, { isLost: () => false })
    for (const { address } of people.slice(0, 3)) chain.fund(address, SOL)
    let bundle: readonly WireTransaction[] = []
    let rolledBack: boolean | undefined
    chain.addMaker((open: OpenBlock) => {
      const before = balances(chain)
      if (bundle.length === 0) return
      rolledBack = 'err' in open.includeAll(bundle, 'id', 0n)
      if (rolledBack) expect(balances(chain)).toEqual(before)
    })
    const model = new Map([[chain.slot, balances(chain)]])
    for (const { isBundle, steps } of blocks) {
      const made = await Promise.all(steps.map((each) => transaction(chain, each)))
      bundle = isBundle ? made : []
      if (!isBundle) for (const each of made) chain.submit(each, 0)
      const landed = chain.landed.size
      chain.tick()
      if (isBundle) expect(chain.landed.size - landed).toBe(rolledBack ? 0 : made.length)
      model.set(chain.slot, balances(chain))
    }
    for (const [slot, lamports] of model) {
      const told = people.map(({ address }) => chain.accounts.at(address, slot))
      expect(told.map((account) => (account.exists ? account.lamports : 0n))).toEqual(lamports)
    }
    // What was paid and what is there add up.
    const fees = [...chain.landed.values()].reduce((sum, { feeLamports }) => sum + feeLamports, 0n)
    expect(balances(chain).reduce((sum, lamports) => sum + lamports, fees)).toBe(3n * SOL)
  }
  await fc.assert(fc.asyncProperty(fc.array(block, { minLength: 1, maxLength: 5 }), course), { numRuns: 25, seed: 7 })
})

test('undone by accounts is what a snapshot of before the bundle has', async () => {
  const chain = new Chain(1, { isLost: () => false })
  const [from, to] = people as unknown as [KeyPairSigner, KeyPairSigner]
  chain.fund(from.address, 10n * SOL)
  chain.tick()
  const saved = chain.save()
  const lifetime = { blockhash: chain.blocks.newest.blockhash as Lifetime['blockhash'], lastValidBlockHeight: 0n }
  const made = [
    await signed(from, lifetime, transfer(from, to.address, SOL), tip(from, 5000n)),
    await signed(from, lifetime, transfer(from, to.address, 100n * SOL)),
  ]
  const bundle = made.map(({ base64 }) => parseTransaction(new Uint8Array(Buffer.from(base64, 'base64'))))
  const open = new OpenBlock(chain.slot + 1, chain.height + 1, chain.accounts, () => undefined)
  expect(open.includeAll(bundle, 'id', 1000n)).toMatchObject({
    index: 1,
    err: { InstructionError: [0, { Custom: 1 }] },
  })
  const touched = new Set<Address>(bundle.flatMap(({ accounts }) => accounts))
  const undone = [...touched].map((address) => chain.accounts.svm.getAccount(address))
  chain.restore(saved)
  expect(undone).toEqual([...touched].map((address) => chain.accounts.svm.getAccount(address)))
})
