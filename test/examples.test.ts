// What the examples print, against values worked out by hand from the founding document's own code.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { node, root, script } from './support/node.js'

test('the README prints what it says', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, code, output] = /```ts\n(.*?)```\n\n```\n(.*?)```/s.exec(readme) as unknown as [string, string, string]
  const { stdout, stderr } = await script(code)
  expect([stdout, stderr]).toEqual([output, ''])
})

async function printed(example: string): Promise<string[]> {
  const { status, stdout, stderr } = await node([join(root, 'build/examples', `${example}.js`)])
  expect([status, stderr]).toEqual([0, ''])
  return stdout.trimEnd().split('\n')
}

test('strings: a hundred messages are produced and consumed, in order', async () => {
  const lines = await printed('strings')
  const expected = (what: string) => Array.from({ length: 100 }, (_, i) => `${what}: Message ${i}`)
  expect(lines.filter((line) => line.startsWith('Produced'))).toEqual(expected('Produced'))
  expect(lines.filter((line) => line.startsWith('Consumed'))).toEqual(expected('Consumed'))
  expect(lines).toHaveLength(200)
})

test('market data: the first price is a spike over nothing, and no later one rises by a hundredth', {
  retry: 2,
}, async () => {
  expect(await printed('market-data')).toEqual(['Price spike detected: $100.00'])
})

test('market makers: the last line has the highest bid and the lowest ask of all three', async () => {
  const lines = await printed('market-makers')
  // 10,000 + 200 + 990 ticks; 10,000 + 50 ticks, which is 1.005 and rounds either way.
  expect(lines.at(-1)).toMatch(/^Best Bid: \$1\.12 \| Best Ask: \$1\.0[01] \| Spread: \$-0\.11$/)
  expect(lines).toHaveLength(50)
})

test('price filter: prices from 950,000 to 1,050,000 pass, 500 apart', async () => {
  expect(await printed('price-filter')).toEqual([
    'Stage Stats - Processed: 1000, Passed: 201, Filtered: 799',
    'Total received: 201',
  ])
})

test('arbitrage: A sells for less than B pays', async () => {
  const [line] = await printed('arbitrage')
  expect(line).toMatch(/^Arbitrage found! Buy on A at \$1\.00, Sell on B at \$1\.0[01], Profit: \$0\.01$/)
})
