// Builds the native addon, the TypeScript and the examples. Nothing is built twice: cargo and tsc know what changed.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root, // What it prints is not the output of `npm pack` or `npm start`, which run it first.
    stdio: ['ignore', 2, 2],
  })
  if (error || status !== 0) {
    console.error(`velox-engine: \`${[command, ...args].join(' ')}\` failed${error ? `: ${error.message}` : ''}`)
    process.exit(1)
  }
}

function requireRust() {
  const found = spawnSync('cargo', ['--version'], { encoding: 'utf8' })
  const [, major, minor] = /^cargo (\d+)\.(\d+)/.exec(found.stdout ?? '') ?? []
  if (!major || Number(major) * 1000 + Number(minor) < 1088) {
    const got = major ? `cargo ${major}.${minor}` : 'no cargo'
    console.error(
      `velox-engine: building needs Rust 1.88 or newer and found ${got}: install it from rustup.rs or by your system's package manager, then run this again`,
    )
    process.exit(1)
  }
}

requireRust()
mkdirSync(new URL('../native/', import.meta.url), { recursive: true })
run('npx', [
  'napi',
  'build',
  '--platform',
  '--release',
  '--no-const-enum',
  '--manifest-path',
  'crates/velox-node/Cargo.toml',
  '--output-dir',
  'native',
  '--js',
  'binding.cjs',
  '--dts',
  'binding.d.cts',
])
for (const folder of ['dist', 'build'])
  rmSync(new URL(`../${folder}/`, import.meta.url), { recursive: true, force: true })
// A stack trace of an installed package shows its source, which isn't packed itself.
run('npx', ['tsc', '-p', '.', '--inlineSources'])
run('npx', ['tsc', '-p', 'examples'])
run('npx', ['tsc', '-p', 'test/support/exchange'])
run('npx', ['tsc', '-p', 'test/support/solana'])
