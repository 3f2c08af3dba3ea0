import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as face from 'velox-engine'
import * as feed from 'velox-engine/feed'
import * as metrics from 'velox-engine/metrics'
import * as solana from 'velox-engine/solana'
import { expect, test } from 'vitest'
import { root, shared } from './support/node.js'

/** The names of values that a declaration file exports. */
function values(path: string): Set<string> {
  const declared = readFileSync(path, 'utf8').matchAll(/^export (?:declare )?(?:class|const|function) (.+?)$/gms)
  const names = new Set<string>()
  for (const [, rest] of declared) {
    for (const [, name] of (rest as string).matchAll(/(?:^|, )(\w+)(?=[:<( ]| extends)/g)) {
      names.add(name as string)
      if (!/^\w+:/.test(rest as string)) break
    }
  }
  return names
}

/** The files that index.d.ts puts together. */
const parts = [...readFileSync(join(root, 'index.d.ts'), 'utf8').matchAll(/^export \* from '\.\/types\/(\w+)\.js'$/gm)]
  .map(([, part]) => `${part}.d.ts`)
  .sort()
const ours = new Set(parts.flatMap((part) => [...values(join(root, 'types', part))]))

test('index.d.ts puts together every file of types/, each a subject', () => {
  expect(parts).toEqual(readdirSync(join(root, 'types')).sort())
  for (const part of parts) expect(readFileSync(join(root, 'types', part), 'utf8').split('\n').length).toBeLessThan(200)
})

test('what index.d.ts declares is what the package exports', () => {
  const declared = [...ours].filter((name) => name in face).sort()
  expect(declared).toEqual(Object.keys(face).sort())
})

test.each([
  ['feed.d.ts', feed],
  ['metrics.d.ts', metrics],
  ['solana.d.ts', solana],
])('what %s declares is what its module exports', (declarations, module) => {
  expect([...values(join(root, declarations))].sort()).toEqual(Object.keys(module).sort())
})

test('package.json points to files that there are', () => {
  const { exports, main, types } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = [exports['.'], exports['./feed'], exports['./metrics'], exports['./solana']]
  for (const path of [main, types, ...entries.flatMap((entry) => [entry.types, entry.default])]) {
    expect(readFileSync(join(root, path), 'utf8').length).toBeGreaterThan(0)
  }
})

const sketch = shared('face/velox-engine.d.ts')
test.skipIf(!sketch)('every name is one of the face, or one that was added on purpose', () => {
  const text = readFileSync(sketch as string, 'utf8')
  const unknown = Object.keys(face).filter((name) => !new RegExp(`\\b${name}\\b`).test(text))
  expect(unknown).toEqual(['BroadcastRing', 'LatestRing', 'MpscRing'])
})
