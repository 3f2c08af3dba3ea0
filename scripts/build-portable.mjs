// Builds the native addon for systems as old as glibc 2.17, into native/: by cargo-zigbuild and zig, which come by
// `pip install cargo-zigbuild ziglang`. The first argument is the Rust target: by default this machine's.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isAbove, newestGlibc } from './glibc.mjs'

const OLDEST = '2.17'
const NAMES = {
  'x86_64-unknown-linux-gnu': 'linux-x64-gnu',
  'aarch64-unknown-linux-gnu': 'linux-arm64-gnu',
  'x86_64-unknown-linux-musl': 'linux-x64-musl',
}
const ROOT = fileURLToPath(new URL('..', import.meta.url))

function fail(sentence) {
  console.error(`velox-engine: ${sentence}`)
  process.exit(1)
}

const target = process.argv[2] ?? `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-gnu`
const name = NAMES[target] ?? fail(`target: expected one of ${Object.keys(NAMES).join(', ')}, got ${target}`)
if (spawnSync('cargo', ['zigbuild', '--help']).status !== 0)
  fail('expected cargo-zigbuild and zig, got none: pip install cargo-zigbuild ziglang')

const isGlibc = target.endsWith('-gnu')
// A library that Node loads can't be linked as a whole: musl is the system's, as Node's own is.
const env = isGlibc ? process.env : { ...process.env, RUSTFLAGS: '-C target-feature=-crt-static' }
const args = ['zigbuild', '--release', '-p', 'velox-node', '--target', isGlibc ? `${target}.${OLDEST}` : target]
if (spawnSync('cargo', args, { cwd: ROOT, env, stdio: ['ignore', 2, 2] }).status !== 0) process.exit(1)

const folder = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target')
const file = join(ROOT, 'native', `velox-engine.${name}.node`)
mkdirSync(join(ROOT, 'native'), { recursive: true })
copyFileSync(join(folder, target, 'release', 'libvelox_node.so'), file)
const newest = newestGlibc(readFileSync(file))
if (newest !== undefined && isAbove(newest, OLDEST)) fail(`${file}: expected glibc ${OLDEST} at most, got ${newest}`)
console.log(`native/velox-engine.${name}.node: ${newest === undefined ? 'no glibc' : `glibc ${newest}`}`)
