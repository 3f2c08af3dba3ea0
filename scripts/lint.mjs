// Every check that is not a test: formats, lints, docs, types. Warnings are errors.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const strict = { ...process.env, RUSTDOCFLAGS: '-D warnings' }

const checks = [
  ['cargo', 'fmt', '--all', '--check'],
  ['cargo', 'clippy', '--quiet', '--workspace', '--exclude', 'velox-node', '--all-targets', '--', '-D', 'warnings'],
  // A module for Node has no tests of its own: a test target would see none of its exports used.
  ['cargo', 'clippy', '--quiet', '-p', 'velox-node', '--', '-D', 'warnings'],
  ['cargo', 'doc', '--quiet', '--workspace', '--no-deps'],
  ['npx', 'biome', 'check', '--error-on-warnings', '.'],
  // The types of the tests are checked against what this leaves in dist/.
  ['npx', 'tsc', '-p', '.'],
  ['npx', 'tsc', '-p', 'test/types'],
]

for (const [command, ...args] of checks) {
  console.log(`> ${[command, ...args].join(' ')}`)
  if (spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: strict }).status !== 0) {
    process.exit(1)
  }
}
