// The code of the guides in docs/: all of it compiles, and what is to be run prints what the guide says.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { node, root } from './support/node.js'

interface Block {
  readonly kind: 'file' | 'run'
  readonly name: string
  readonly code: string
  /** What it prints, where the guide says so. */
  readonly output: string | undefined
}

const GUIDES = [
  'write-a-stage',
  'write-an-expression',
  'place-threads',
  'read-the-report',
  'live-markets',
  'metrics',
  'top',
  'rings',
]
const folder = join(root, 'build/guides')

function textOf(guide: string): string {
  return readFileSync(join(root, 'docs', `${guide}.md`), 'utf8')
}

function blocksOf(guide: string): Block[] {
  const blocks = textOf(guide).matchAll(/^```ts (file|run)=(\S+)\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?/gms)
  return [...blocks].map(([, kind, name, code, output]) => ({ kind, name, code, output }) as Block)
}

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  for (const guide of GUIDES) {
    mkdirSync(join(folder, guide), { recursive: true })
    for (const { name, code } of blocksOf(guide)) writeFileSync(join(folder, guide, name), code)
  }
  const compilerOptions = { rootDir: '.', outDir: 'out', sourceMap: false, declaration: false }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['.'] }),
  )
  execFileSync('npx', ['tsc', '-p', folder], { cwd: root, stdio: 'inherit' })
})

describe.each(GUIDES)('%s', (guide) => {
  test('is a guide: short, and every block of code in it is held to compile', () => {
    const text = textOf(guide)
    const lines = text.split('\n').length
    expect([lines >= 60, lines <= 130]).toEqual([true, true])
    expect(blocksOf(guide).length).toBeGreaterThan(0)
    expect(text.match(/^```ts/gm)).toHaveLength(blocksOf(guide).length)
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

test('the README leads to every guide', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  for (const guide of GUIDES) expect(readme).toContain(`docs/${guide}.md`)
  expect(readdirSync(join(root, 'docs'))).toEqual(expect.arrayContaining(GUIDES.map((guide) => `${guide}.md`)))
})
