// The programs that the public face was designed by, compiled against today's types and run.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pipeline, replay, sample } from 'velox-engine'
import { beforeAll, expect, test } from 'vitest'
import { node, root } from './support/node.js'

beforeAll(() => void execFileSync('npx', ['tsc', '-p', 'test/face-programs'], { cwd: root, stdio: 'inherit' }))

async function printed(program: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await node([join(root, 'build/face-programs', `${program}.js`), ...args])
  expect(status, stderr).toBe(0)
  return stdout
}

test('quick start: a ring, and a filter by the book', async () => {
  const [first, ...lines] = (await printed('quick-start')).split('\n')
  const report = lines.findIndex((line) => line.includes('balanced'))
  const passed = lines.slice(0, report).map((line) => /^ask (\d+\.\d0) (\d+\.\d{3})$/.exec(line) ?? [])
  expect(first).toBe('1n')
  expect(passed.length).toBeGreaterThan(100)
  for (const [, , qty] of passed) expect(Number(qty)).toBeGreaterThan(0.05)
  expect(lines.slice(report).find((line) => /^ +batches /.test(line))).toContain(` ${passed.length} `)
})

test('spikes: a stage of its own finds what a plain loop finds', async () => {
  const trades = await pipeline('p').from(replay(sample.btcusdt)).trades().toArray()
  const spikes = trades.filter(({ price }, i) => price > (trades[i - 1]?.price ?? Infinity) * 1.00005)
  expect(spikes.length).toBeGreaterThan(10)
  expect((await printed('spikes')).split('\n').filter(Boolean)).toHaveLength(spikes.length)
})

test('four stages: the report as JSON, and the truth check in the exit code', async () => {
  const report = JSON.parse(await printed('four-stage', '--max', '--json'))
  expect(report).toMatchObject({ balanced: true, verified: { checked: 423, agreed: 423 } })
})
