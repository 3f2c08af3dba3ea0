// `velox init`: the project that it makes runs, its test passes, and nothing is written over.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { velox } from './support/engine.js'
import { node, root } from './support/node.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'velox-init-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const init = (...args: string[]) => node([velox, 'init', ...args], { cwd: folder })

/** As `npm install velox-engine` would leave it. */
function installed(): void {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/velox-engine'), 'dir')
}

test('makes a project that runs by the command that it names, and whose test passes', async () => {
  installed()
  const made = await init('bot', '--language', 'js')
  expect([made.status, made.stderr]).toEqual([0, ''])
  expect(made.stdout).toBe(
    'made in bot: package.json, pipeline.js, large-trades.js, pipeline.test.js, .gitignore\n\n  npx velox run bot/pipeline.js\n',
  )
  const { status, stdout, stderr } = await node([velox, 'run', 'bot/pipeline.js'], { cwd: folder })
  expect(status, stderr).toBe(0)
  const trades = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(trades.length).toBeGreaterThan(0)
  expect(trades.every(({ qty }) => qty >= 1000)).toBe(true)
  const tested = await node(['--test'], { cwd: join(folder, 'bot') })
  expect(tested.status, tested.stdout).toBe(0)
  expect(tested.stdout).toMatch(/pass 1/)
})

test('in TypeScript it type-checks as it is', async () => {
  installed()
  expect((await init('bot', '--language', 'ts')).status).toBe(0)
  symlinkSync(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'), 'dir')
  const checked = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'bot'], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect([checked.stdout, checked.status]).toEqual(['', 0])
})

test('without the package installed it says how to install it', async () => {
  const { stdout } = await init('bot', '--language', 'js', '--json')
  const { next, files } = JSON.parse(stdout)
  expect(next).toEqual(['npm install --prefix bot', 'npx velox run bot/pipeline.js'])
  expect(files.sort()).toEqual(readdirSync(join(folder, 'bot')).sort())
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const manifest = JSON.parse(readFileSync(join(folder, 'bot/package.json'), 'utf8'))
  expect(manifest.dependencies).toEqual({ 'velox-engine': `^${version}` })
})

test('names a folder as a shell takes it', async () => {
  const { next } = JSON.parse((await init('my bot', '--language', 'js', '--json')).stdout)
  expect(next).toEqual(['npm install --prefix "my bot"', 'npx velox run "my bot/pipeline.js"'])
})

test.runIf(process.versions.node.startsWith('20.'))('in TypeScript on Node 20 it says what runs it', async () => {
  const made = await init('bot', '--language', 'ts')
  expect(made.stdout).toMatch(/Node 20\.\d+\.\d+ runs no TypeScript: take 22\.18 or newer, Bun or Deno/)
})

test('keeps the package.json that is there, and takes the ending that it needs', async () => {
  const own = '{ "name": "mine" }'
  writeFileSync(join(folder, 'package.json'), own)
  const { status, stdout } = await init('--language', 'js')
  expect(status).toBe(0)
  expect(stdout).toContain('made in .: pipeline.mjs, large-trades.mjs, pipeline.test.mjs')
  expect(readFileSync(join(folder, 'package.json'), 'utf8')).toBe(own)
  expect(readFileSync(join(folder, 'pipeline.mjs'), 'utf8')).toContain("'./large-trades.mjs'")
})

test('writes nothing where one of its files is there', async () => {
  writeFileSync(join(folder, 'pipeline.test.js'), 'mine')
  const { status, stdout, stderr } = await init('--language', 'js')
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toContain(
    'pipeline.test.js: expected a file that can be written, got: it is there already; nothing was written',
  )
  expect(readdirSync(folder)).toEqual(['pipeline.test.js'])
})

test('says where it can’t write', async () => {
  writeFileSync(join(folder, 'file'), '')
  const { status, stderr } = await init('file/bot')
  expect(status).toBe(1)
  expect(stderr).toContain('file/bot: expected a file that can be written')
})

test.skipIf(process.platform !== 'linux')('says so too where the system has no folders to make', async () => {
  const { status, stderr } = await init('/proc/velox/bot')
  expect(status).toBe(1)
  expect(stderr).toContain('/proc/velox/bot: expected a file that can be written, got: ENOENT')
})
