// The two packages as they are published, installed from a registry into an empty folder: the part that needs nothing but npm and
// this Node. `npm run test:package` does the same by other package managers, on other runtimes, and writes docs/runtimes.md.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { node, root } from '../support/node.js'
import { CASES, runPrograms, writePrograms } from './cases.mjs'
import { MANAGERS } from './install.mjs'

interface RawMap {
  readonly sources: readonly string[]
  readonly sourcesContent?: readonly string[]
}

const folder = mkdtempSync(join(tmpdir(), 'velox-package-'))
afterAll(() => rmSync(folder, { recursive: true }))

const installed = join(folder, 'user')
const modules = join(installed, 'node_modules')
const own = 'velox-engine-linux-x64-gnu'
const isHere = existsSync(join(root, 'native/velox-engine.linux-x64-gnu.node'))
const packed = (name: string) => join(root, 'build/packages', name)

beforeAll(async () => {
  execFileSync(process.execPath, ['scripts/packages.mjs'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const [tarball] = readdirSync(packed('')).filter((name) => /^velox-engine-\d/.test(name)) as [string]
  execFileSync('tar', ['xzf', packed(tarball), '-C', folder])
  const served = await registryInAProcess()
  MANAGERS.npm.install(installed, served.address)
  served.close()
  writePrograms(installed)
})

/** In a process of its own: npm is waited for by this one. */
async function registryInAProcess(): Promise<{ address: string; close(): void }> {
  const child = spawn(process.execPath, [join(root, 'test/package/serve.mjs'), join(folder, 'package/package.json')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const address = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data) => resolve(String(data).trim())),
  )
  return { address, close: () => child.kill() }
}

describe.runIf(isHere)('installed by npm', () => {
  test('there are the package and this platform’s, and no other', () => {
    expect(readdirSync(modules).filter((name) => !name.startsWith('.'))).toEqual(['velox-engine', own])
    const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }
    const top = [...files.map((file) => file.split('/')[0] as string), 'LICENSE', 'README.md', 'package.json']
    expect(readdirSync(join(modules, 'velox-engine')).sort()).toEqual([...new Set(top)].sort())
    const names = readdirSync(join(modules, 'velox-engine'), { recursive: true }).map(String)
    expect(names.filter((name) => name.endsWith('.node'))).toEqual([])
    expect(names.filter((name) => name.startsWith('dist') && name.endsWith('.d.ts'))).toEqual([])
    expect(readdirSync(join(modules, own)).sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
      'velox-engine.linux-x64-gnu.node',
    ])
  })

  test('nothing is run at the installation, and nothing else is needed', () => {
    const read = (name: string) => JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'))
    for (const manifest of [read('velox-engine'), read(own)]) {
      expect([manifest.scripts, manifest.dependencies, manifest.devDependencies]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
    }
    const { optionalDependencies, version } = read('velox-engine')
    expect(Object.keys(optionalDependencies)).toHaveLength(6)
    expect(new Set(Object.values(optionalDependencies))).toEqual(new Set([version]))
  })

  test.each(Object.keys(CASES))('%s prints what it should', (name) => {
    const wrong = runPrograms(installed, MANAGERS.npm.node(process.execPath), [name])
    expect(wrong).toEqual({ [name]: undefined })
  })

  test.each(['nodenext', 'bundler'])('its types hold under moduleResolution %s', (moduleResolution) => {
    const uses = `import { L2Book, pipeline, replay, sample, type Report } from 'velox-engine'
      import { live } from 'velox-engine/feed'
      import { writeReport } from 'velox-engine/metrics'
      import { keypairFile, memoTemplate, type Outcome, type Submitter } from 'velox-engine/solana'
      const market = replay(sample.btcusdt)
      const book: L2Book = new L2Book({ instrument: market.instrument() })
      const report: Report = await (await pipeline('x').from(market).book(book).trades().start()).done()
      const n: number = report.perSecond
      const template = memoTemplate({ signer: keypairFile('key.json'), packing: 4 })
      const spent = (o: Outcome): bigint => (o.state === 'landed' ? o.spentLamports : 0n)
      // @ts-expect-error: a capacity is a number
      pipeline('y').from(market).trades({ capacity: 'many' })
      export { live, n, type Submitter, spent, template, writeReport }`
    const project = join(installed, moduleResolution)
    mkdirSync(project, { recursive: true })
    writeFileSync(join(project, 'uses.mts'), uses)
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      target: 'es2022',
      module: moduleResolution === 'bundler' ? 'esnext' : 'nodenext',
      moduleResolution,
      lib: ['es2023', 'esnext.disposable'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      noEmit: true,
      skipLibCheck: false,
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['uses.mts'] }))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' })
    expect([stdout, status]).toEqual(['', 0])
  })

  test('`velox` is among the commands: a project is made and run by two of them', () => {
    const velox = join(modules, '.bin/velox')
    const run = (...args: string[]) => spawnSync(velox, args, { cwd: installed, encoding: 'utf8' })
    const { next } = JSON.parse(run('init', 'bot', '--language', 'js', '--json').stdout)
    expect(next).toEqual(['npx velox run bot/pipeline.js'])
    const { status, stdout, stderr } = run('run', 'bot/pipeline.js')
    expect(status, stderr).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(129)
  })

  test('its maps have the source, which is not packed itself', () => {
    const dist = join(modules, 'velox-engine/dist')
    const maps = readdirSync(dist, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.js.map'))
      .map((name) => ({ name, ...(JSON.parse(readFileSync(join(dist, name), 'utf8')) as RawMap) }))
    expect(maps.flatMap(({ sourcesContent = [] }) => sourcesContent).join('\n')).toContain('export class RingBuffer')
    // A stack that is told by a map names a place in the package.
    const named = maps.flatMap(({ name, sources }) => sources.map((source) => join('dist', name, '..', source)))
    expect(named.filter((path) => !path.startsWith('src/'))).toEqual([])
    expect(named).toContain('src/ring/ring-buffer.ts')
  })

  test.each(['esm', 'cjs'] as const)('in a bundle of %s it says to be left out of it', async (format) => {
    writeFileSync(join(installed, 'bot.mjs'), `import { u32 } from 'velox-engine'\nconsole.log(u32)`)
    const file = join(folder, `bundled-${format}`, format === 'esm' ? 'bot.mjs' : 'bot.cjs')
    // As esbuild leaves it in CommonJS.
    const define: Record<string, string> = format === 'cjs' ? { 'import.meta.url': 'undefined' } : {}
    const bundled = await rolldown({
      input: join(installed, 'bot.mjs'),
      platform: 'node',
      transform: { define },
      onwarn: () => {},
    })
    await bundled.write({ file, format, codeSplitting: false })
    await bundled.close()
    const { stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' })
    expect(stderr).toContain('Leave velox-engine out of the bundle')
    expect(stderr).not.toContain('Run: npm install')
  })

  test('each class is there once, whichever entry it comes from', async () => {
    const code = `const entries = ['velox-engine', 'velox-engine/feed', 'velox-engine/metrics', 'velox-engine/solana']
      const [a, b, c, d] = await Promise.all(entries.map((name) => import(name)))
      const feed = new b.Feed({ venue: 'kraken', symbols: ['XBT/USD'] })
      const refused = (f) => { try { f() } catch (error) { return error instanceof a.VeloxError } }
      console.log(feed.book('XBT/USD') instanceof a.L2Book, typeof c.writeReport, refused(() => d.memoTemplate({})))`
    const { stdout } = await node(['--input-type=module', '--eval', code], { cwd: installed })
    expect(stdout).toBe('true function true\n')
  })

  test('a binary that is to be published weighs at most 3 MB packed', () => {
    const binary = readFileSync(join(root, 'native/velox-engine.linux-x64-gnu.node'))
    // A build for debugging is larger, and nobody's to publish.
    const isForDebugging = binary.includes('\0.symtab\0')
    const [file] = readdirSync(packed('')).filter((name) => name.startsWith(own)) as [string]
    if (!isForDebugging) expect(statSync(packed(file)).size).toBeLessThanOrEqual(3e6)
  })

  describe('without its native addon', () => {
    const away = join(folder, 'away')
    const broken = async (code: string) => node(['--input-type=module', '--eval', code], { cwd: installed })
    const caught = `await import('velox-engine').catch((e) => console.log(JSON.stringify([e.code, e.context, e.message])))`

    test('it says where, what was tried and what to install', async () => {
      renameSync(join(modules, own), away)
      try {
        const { stdout } = await broken(caught)
        const [code, context, message] = JSON.parse(stdout)
        const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
        expect(code).toBe('VELOX_NATIVE_MISSING')
        expect(context).toMatchObject({ platform: 'linux-x64-gnu', libc: expect.stringMatching(/^\d+\.\d+$/) })
        expect(context.tried.some((one: string) => one.includes(own))).toBe(true)
        expect(message).toContain(`Run: npm install ${own}@${version}`)
        expect(message).not.toContain('\n')
        const doctor = spawnSync(join(modules, '.bin/velox'), ['doctor'], { cwd: installed, encoding: 'utf8' })
        expect(doctor.status).toBe(1)
        expect(doctor.stdout).toMatch(/^broken +native addon/m)
        // One line, without what the loader guesses of npm and without each cause's own stack of requires.
        const told = spawnSync(join(modules, '.bin/velox'), ['top', '--once'], { cwd: installed, encoding: 'utf8' })
        expect([told.status, told.stderr.length < 400, told.stderr.includes('npm has a bug')]).toEqual([1, true, false])
        const help = spawnSync(join(modules, '.bin/velox'), ['run', '--help'], { cwd: installed, encoding: 'utf8' })
        expect(help.status).toBe(0)
      } finally {
        renameSync(away, join(modules, own))
      }
    })

    test('with one that is no library it says that', async () => {
      cpSync(join(modules, own), away, { recursive: true })
      try {
        writeFileSync(join(modules, own, 'velox-engine.linux-x64-gnu.node'), 'a text')
        const [code, , message] = JSON.parse((await broken(caught)).stdout)
        expect([code, message.includes('velox-engine.linux-x64-gnu.node')]).toEqual(['VELOX_NATIVE_MISSING', true])
      } finally {
        rmSync(join(modules, own), { recursive: true })
        renameSync(away, join(modules, own))
      }
    })

    test('with one of another version it names both, and what to install', async () => {
      const manifest = join(modules, 'velox-engine/package.json')
      const text = readFileSync(manifest, 'utf8')
      const { version } = JSON.parse(text)
      writeFileSync(manifest, text.replaceAll(`"${version}"`, '"9.8.7"'))
      try {
        const [code, context, message] = JSON.parse((await broken(caught)).stdout)
        expect([code, context.tried]).toEqual(['VELOX_NATIVE_MISSING', [`expected ${own} 9.8.7, got ${version}`]])
        expect(message).toContain(`Run: npm install ${own}@9.8.7`)
      } finally {
        writeFileSync(manifest, text)
      }
    })
  })
})
