// The package as a user gets it: packed with its binary, installed in an empty folder, used from TypeScript.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { node, root } from './support/node.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-packed-'))
afterAll(() => rmSync(folder, { recursive: true }))

const npm = (args: string[], cwd: string) =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

beforeAll(() => {
  const [{ filename }] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
  ) as [{ filename: string }]
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
  npm(['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], folder)
})

test('it holds what it needs and nothing else', () => {
  const installed = join(folder, 'node_modules/velox-engine')
  const top = readdirSync(installed).sort()
  expect(top).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'data',
    'dist',
    'docs',
    'feed.d.ts',
    'index.d.ts',
    'metrics.d.ts',
    'native',
    'package.json',
    'solana.d.ts',
    'types',
  ])
  expect(existsSync(join(folder, 'node_modules/.package-lock.json'))).toBe(true)
  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['velox-engine'])
})

test('the four stages and the programs of the face compile and run from it', async () => {
  const programs = ['quick-start.ts', 'spike.ts', 'spikes.ts']
  copyFileSync(join(root, 'examples/four-stage.ts'), join(folder, 'four-stage.ts'))
  for (const program of programs) copyFileSync(join(root, 'test/face-programs', program), join(folder, program))
  const compilerOptions = {
    strict: true,
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2023', 'esnext.disposable'],
    outDir: 'out',
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['four-stage.ts', ...programs] }),
  )
  const compiled = await node([join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: folder })
  expect(compiled, compiled.stdout).toMatchObject({ status: 0, stdout: '' })
  const ended = await node(['out/four-stage.js', '--pace', 'max'], { cwd: folder })
  expect(ended.status, ended.stderr).toBe(0)
  expect(ended.stdout).toContain('verified: 423 of 423 quotes')
  for (const [program, text] of [
    ['quick-start.js', 'balanced'],
    ['spikes.js', 'spike at'],
  ] as const) {
    const { status, stdout, stderr } = await node([`out/${program}`], { cwd: folder })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain(text)
  }
})

test('`velox` is among its commands, and runs', async () => {
  const velox = join(folder, 'node_modules/.bin/velox')
  const ran = (...args: string[]) => execFileSync(velox, args, { encoding: 'utf8' })
  expect(ran('top', '--help')).toContain('velox top [NAME] [options]')
  const { status, stderr } = await node([velox, 'top', '--once'], { env: { XDG_RUNTIME_DIR: folder } })
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^velox top: expected a running engine, got none: .*\n$/)])
})
