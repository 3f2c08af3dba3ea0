// Every check that is not a test: formats, lints, docs, types. Warnings are errors.
import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** A package of its own, as its binaries need libFuzzer. */
const FUZZ = 'crates/velox-feed/fuzz'
const strict = {
  CARGO_TARGET_DIR: `${root}target`,
  ...process.env,
  RUSTDOCFLAGS: '-D warnings',
  // A check links nothing: with any file in its place libFuzzer, which is C++, isn't compiled.
  CUSTOM_LIBFUZZER_PATH: `${root}${FUZZ}/Cargo.toml`,
}

const checks = [
  ['cargo', 'fmt', '--all', '--check'],
  ['cargo', 'clippy', '--quiet', '--workspace', '--exclude', 'velox-node', '--all-targets', '--', '-D', 'warnings'],
  // A module for Node has no tests of its own: a test target would see none of its exports used.
  ['cargo', 'clippy', '--quiet', '-p', 'velox-node', '--', '-D', 'warnings'],
  ['cargo', 'fmt', '--manifest-path', `${FUZZ}/Cargo.toml`, '--check'],
  ['cargo', 'clippy', '--quiet', '--manifest-path', `${FUZZ}/Cargo.toml`, '--', '-D', 'warnings'],
  ['cargo', 'doc', '--quiet', '--workspace', '--no-deps'],
  ['npx', 'biome', 'check', '--error-on-warnings', '.'],
  // The types of the tests are checked against what this leaves in dist/.
  ['npx', 'tsc', '-p', '.'],
  ['npx', 'tsc', '-p', 'test/types'],
]

// It keeps no lock of its own, and takes the versions of the workspace.
copyFileSync(`${root}Cargo.lock`, `${root}${FUZZ}/Cargo.lock`)
for (const [command, ...args] of checks) {
  console.log(`> ${[command, ...args].join(' ')}`)
  if (spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: strict }).status !== 0) {
    process.exit(1)
  }
}
