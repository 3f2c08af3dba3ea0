import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as face from 'velox-engine'
import * as feed from 'velox-engine/feed'
import * as metrics from 'velox-engine/metrics'
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

const ours = values(join(root, 'index.d.ts'))

test('what index.d.ts declares is what the package exports', () => {
  const declared = [...ours].filter((name) => name in face).sort()
  expect(declared).toEqual(Object.keys(face).sort())
})

test.each([
  ['feed.d.ts', feed],
  ['metrics.d.ts', metrics],
])('what %s declares is what its module exports', (declarations, module) => {
  expect([...values(join(root, declarations))].sort()).toEqual(Object.keys(module).sort())
})

test('package.json points to files that there are', () => {
  const { exports, main, types } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = [exports['.'], exports['./feed'], exports['./metrics']]
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
