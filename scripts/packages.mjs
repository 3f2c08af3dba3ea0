// Makes the packages that are published, in build/packages: `velox-engine`, and one for each platform whose binary is in native/.
// With `--all`, as for a release, every platform of package.json must be there, none above 3 MB packed; `--repository URL` names the source, as provenance needs it.
// `npm run build` first.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { gzipAsync } from '@gfx/zopfli'
import { bundle } from './bundle.mjs'

/** What a package of a platform may weigh, packed. */
const MOST_BYTES = 3e6

const root = fileURLToPath(new URL('..', import.meta.url))
const out = join(root, 'build/packages')
const { values } = parseArgs({ options: { all: { type: 'boolean' }, repository: { type: 'string' } } })

function fail(sentence) {
  console.error(`velox-engine: ${sentence}`)
  process.exit(1)
}

function run(command, args, cwd = root) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) fail(`\`${[command, ...args].join(' ')}\` failed: ${stderr || stdout}`)
  return stdout
}

const read = (path) => JSON.parse(readFileSync(path, 'utf8'))
const repository = values.repository && { repository: { type: 'git', url: `git+${values.repository}.git` } }
const write = (folder, manifest) =>
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, ...repository }, null, 2)}\n`)

/** Packs a folder; gives the file's name and sizes. Zopfli writes the same as zlib does, in some 5 % fewer bytes and 20 s. */
async function pack(folder) {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', out], folder))
  const path = join(out, packed.filename)
  const smaller = await gzipAsync(gunzipSync(readFileSync(path)), { numiterations: 5 })
  writeFileSync(path, smaller)
  return { ...packed, size: smaller.length }
}

const manifest = read(join(root, 'package.json'))
rmSync(out, { recursive: true, force: true })
rmSync(join(root, 'npm'), { recursive: true, force: true })
mkdirSync(out, { recursive: true })

// The platforms, by napi-rs's own way: a folder for each in npm/.
run('npx', ['napi', 'create-npm-dirs'])
const platforms = readdirSync(join(root, 'npm'))
const missing = []
const packed = []
for (const platform of platforms) {
  const folder = join(root, 'npm', platform)
  const own = read(join(folder, 'package.json'))
  const binary = join(root, 'native', own.main)
  if (!existsSync(binary)) {
    missing.push(platform)
    continue
  }
  copyFileSync(binary, join(folder, own.main))
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  write(folder, { ...own, description: `The native addon of velox-engine for ${platform}` })
  const one = await pack(folder)
  // A build for debugging is larger, and nobody's to publish.
  if (values.all && one.size > MOST_BYTES)
    fail(`${one.filename}: expected at most ${MOST_BYTES} bytes packed, got ${one.size}`)
  packed.push(one)
}
if (packed.length === 0) fail('expected a binary in native/, got none: npm run build')
if (values.all && missing.length > 0) fail(`expected a binary for each platform, got none for ${missing.join(', ')}`)

// The package itself: all but the binaries, and nothing that only a clone can use.
const staged = join(out, 'velox-engine')
for (const name of [...manifest.files, 'README.md', 'LICENSE']) {
  if (name === 'dist') await bundle(join(staged, name))
  else cpSync(join(root, name), join(staged, name), { recursive: true, filter: (path) => !path.endsWith('.node') })
}
const { scripts: _scripts, devDependencies: _tools, napi: _napi, ...published } = manifest
const optionalDependencies = Object.fromEntries(platforms.map((each) => [`velox-engine-${each}`, manifest.version]))
write(staged, { ...published, optionalDependencies })
packed.push(await pack(staged))
rmSync(staged, { recursive: true })

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`
for (const { filename, size, unpackedSize } of packed)
  console.log(`${filename}: ${megabytes(size)} packed, ${megabytes(unpackedSize)} unpacked`)
if (missing.length > 0) console.log(`no binary here for ${missing.join(', ')}`)
