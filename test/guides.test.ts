// The code of the guides in docs/: all of it compiles, and what is to be run prints what the guide says.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import * as velox from '../dist/index.js'
import { node, root } from './support/node.js'

interface Block {
  readonly kind: 'file' | 'run'
  readonly name: string
  readonly code: string
  /** What it prints, where the guide says so. */
  readonly output: string | undefined
}

/** Every page of docs/: its code compiles. */
const PAGES = readdirSync(join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => name.slice(0, -3))
/** Pages of any length; any other is a guide, as in `scripts/docs.mjs`. */
const OTHERS = /^(tutorial-|coming-from-|(start-here|how-it-works|performance|errors|runtimes|lifecycle|decisions)$)/
const GUIDES = PAGES.filter((page) => !OTHERS.test(page))
const folder = join(root, 'build/guides')

function textOf(guide: string): string {
  return readFileSync(join(root, 'docs', `${guide}.md`), 'utf8')
}

function blocksOf(guide: string): Block[] {
  const blocks = textOf(guide).matchAll(/^```ts (file|run)=(\S+)\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?/gms)
  return [...blocks].map(([, kind, name, code, output]) => ({ kind, name, code, output }) as Block)
}

/** What a block of the README takes as given, beside what the package exports. */
const GIVEN = {
  worker: "declare const worker: import('node:worker_threads').Worker",
  total: 'let total = 0',
  market: "declare const market: import('velox-engine').Source<typeof import('velox-engine').MarketEvent>",
  book: "declare const book: import('velox-engine').L2Book",
}

/** The blocks of the README as modules: what isn't imported in one is imported for it. */
function readmeModules(): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  return [...readme.matchAll(/^```ts\n(.*?)^```\n/gms)].map(([, code = '']) => {
    const uses = (name: string) =>
      new RegExp(`(?<![.\\w'])${name}\\b`).test(code.replaceAll(/^import .*$|\/\/.*$/gm, ''))
    const has = (name: string) => new RegExp(`^import .*\\b${name}\\b|\\b(const|let) ${name}\\b`, 'm').test(code)
    const names = Object.keys(velox).filter((name) => uses(name) && !has(name))
    const given = Object.entries(GIVEN).flatMap(([name, line]) => (uses(name) && !has(name) ? [line] : []))
    return [`import { ${names.join(', ')} } from 'velox-engine'`, ...given, code, 'export {}'].join('\n')
  })
}

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  for (const guide of PAGES) {
    mkdirSync(join(folder, guide), { recursive: true })
    for (const { name, code } of blocksOf(guide)) writeFileSync(join(folder, guide, name), code)
  }
  mkdirSync(join(folder, 'readme'))
  for (const [i, code] of readmeModules().entries()) writeFileSync(join(folder, `readme/block-${i}.ts`), code)
  const compilerOptions = { rootDir: '.', outDir: 'out', sourceMap: false, declaration: false, noUnusedLocals: false }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['.'] }),
  )
  execFileSync('npx', ['tsc', '-p', folder], { cwd: root, stdio: 'inherit' })
})

test.each(GUIDES)('%s is a guide: short, with code', (guide) => {
  const lines = textOf(guide).split('\n').length
  expect([lines >= 60, lines <= 130]).toEqual([true, true])
  expect(blocksOf(guide).length).toBeGreaterThan(0)
})

describe.each(PAGES)('%s', (guide) => {
  test('every block of code in it is held to compile', () => {
    expect(textOf(guide).match(/^```ts/gm) ?? []).toHaveLength(blocksOf(guide).length)
  })

  test.each(blocksOf(guide).filter(({ kind }) => kind === 'run'))(
    '$name prints what it says',
    async ({ name, output }) => {
      const { status, stdout, stderr } = await node([join(folder, 'out', guide, name.replace(/ts$/, 'js'))])
      expect([status, stderr]).toEqual([0, ''])
      expect(stdout).toBe(output)
    },
  )
})

test('the page of errors says what the codes say', async () => {
  const { status, stderr } = await node(['scripts/errors-page.mjs', '--check'])
  expect([status, stderr]).toEqual([0, ''])
})

test('every block of TypeScript in the README compiles', () => {
  // By `beforeAll`: here they are counted.
  expect(readmeModules().length).toBeGreaterThanOrEqual(4)
  expect(readdirSync(join(folder, 'out/readme'))).toHaveLength(readmeModules().length)
})

test('the README leads to every guide', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  expect(GUIDES.length).toBeGreaterThanOrEqual(11)
  for (const guide of GUIDES) expect(readme).toContain(`docs/${guide}.md`)
})
