// Runs every test of both languages and adds up what really ran: `N passed, N failed` is the last line.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sums = { passed: 0, failed: 0, skipped: 0 }

function add(what, { passed, failed, skipped }, isFine) {
  // A run that broke without a failed test (it did not compile, it crashed) is a failure of its own.
  const broken = !isFine && failed === 0 ? 1 : 0
  sums.passed += passed
  sums.failed += failed + broken
  sums.skipped += skipped
  console.log(`${what}: ${passed} passed, ${failed + broken} failed, ${skipped} skipped\n`)
}

/** Runs a command, shows what it prints, and gives its text and whether it went well. */
function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    let text = ''
    child.stdout.on('data', (data) => {
      process.stdout.write(data)
      text += data
    })
    child.on('error', (error) => {
      console.error(`velox-engine: ${command}: ${error.message}`)
      resolve([text, false])
    })
    child.on('close', (status) => resolve([text, status === 0]))
  })
}

async function cargo(what, args, env, toolchain = []) {
  const [text, isFine] = await run('cargo', [...toolchain, 'test', '--quiet', ...args], env)
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const [, passed, failed, ignored] of text.matchAll(
    /^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    counts.passed += Number(passed)
    counts.failed += Number(failed)
    counts.skipped += Number(ignored)
  }
  add(what, counts, isFine)
}

/** The rings' stress tests under ThreadSanitizer, where a nightly Rust is here with the source of std. That is built for it, in minutes. */
async function sanitized() {
  if (process.env.VELOX_SOAK !== '1') return
  const target = 'x86_64-unknown-linux-gnu'
  const { status, stdout } = spawnSync('rustc', ['+nightly', '--print', 'sysroot'], {
    encoding: 'utf8',
    env: { ...process.env, RUSTUP_AUTO_INSTALL: '0' },
  })
  const isHere = status === 0 && existsSync(join(stdout.trim(), 'lib/rustlib/src/rust/library'))
  if (!isHere || process.platform !== 'linux' || process.arch !== 'x64')
    return add('ThreadSanitizer', { passed: 0, failed: 0, skipped: 1 }, true)
  const env = { RUSTFLAGS: '-Zsanitizer=thread', CARGO_TARGET_DIR: join(root, 'target/tsan') }
  const args = ['-Zbuild-std', '--target', target, '-p', 'velox-ring', '--test', 'stress']
  await cargo('ThreadSanitizer', args, env, ['+nightly'])
}

async function vitest() {
  const folder = mkdtempSync(join(tmpdir(), 'velox-test-'))
  const file = join(folder, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const [, isFine] = await run('npx', ['vitest', 'run', ...reporters])
  let report = {}
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    console.error('velox-engine: vitest left no report')
  }
  rmSync(folder, { recursive: true })
  const { numPassedTests: passed = 0, numFailedTests: failed = 0, numPendingTests: skipped = 0 } = report
  add('TypeScript', { passed, failed, skipped }, isFine)
}

await cargo('Rust', ['--workspace', '--no-fail-fast'])
// The models have their own build of the same crates.
const loom = { RUSTFLAGS: '--cfg loom', CARGO_TARGET_DIR: join(root, 'target/loom') }
await cargo('Memory models', ['--release', '-p', 'velox-ring', '-p', 'velox-book', '--test', 'loom'], loom)
await sanitized()
await vitest()

if (sums.skipped > 0)
  console.log(`${sums.skipped} skipped: they need files beside the project, strace, valgrind, prometheus or chromium`)
console.log(`${sums.passed} passed, ${sums.failed} failed`)
process.exitCode = sums.failed > 0 ? 1 : 0
