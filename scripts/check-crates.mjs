// Packs every crate that is published, and builds the founding document's ten blocks on the packed ones alone, in a crate of their
// own, and the README's example in Rust. Where the document isn't beside the project, the example alone.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const DOCUMENT = join(root, '../shared/spec/velox-usage-examples.md')
/** What is not published: the addon, its benchmarks, the tests of the document. */
const PRIVATE = ['velox-node', 'velox-bench', 'velox-document']

function run(command, args, o = {}) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...o })
  if (status === 0) return
  console.error(`velox-engine: \`${[command, ...args].join(' ')}\` failed`)
  process.exit(1)
}

const started = Date.now()
const folder = mkdtempSync(join(tmpdir(), 'velox-crates-'))
try {
  const packed = join(folder, 'packed')
  const excluded = PRIVATE.flatMap((name) => ['--exclude', name])
  // What is packed is built below, by those who use it.
  run('cargo', [
    'package',
    '--quiet',
    '--workspace',
    ...excluded,
    '--no-verify',
    '--allow-dirty',
    '--target-dir',
    packed,
  ])
  const archives = readdirSync(join(packed, 'package')).filter((name) => name.endsWith('.crate'))
  const crates = join(folder, 'crates')
  mkdirSync(crates)
  for (const archive of archives) {
    run('tar', ['xzf', join(packed, 'package', archive), '-C', crates])
    const name = archive.replace(/\.crate$/, '')
    if (!existsSync(join(crates, name, 'README.md'))) {
      console.error(`velox-engine: ${name}: expected a README.md in the packed crate, got none`)
      process.exit(1)
    }
  }

  const user = join(folder, 'user')
  const manifest = ['[package]', 'name = "user"', 'version = "0.0.0"', 'edition = "2021"', '', '[dependencies]']
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const isThere = existsSync(DOCUMENT)
  mkdirSync(join(user, 'src/bin'), { recursive: true })
  manifest.push(`velox_engine = "${version}"`)
  if (isThere) {
    manifest.push('tokio = { version = "1", features = ["rt-multi-thread", "time"] }')
    cpSync(join(root, 'test/document/src/bin'), join(user, 'src/bin'), { recursive: true })
    // The document lies beside the project for it: here by its whole path.
    const build = readFileSync(join(root, 'test/document/build.rs'), 'utf8')
    writeFileSync(
      join(user, 'build.rs'),
      build.replace('"../../../shared/spec/velox-usage-examples.md"', JSON.stringify(DOCUMENT)),
    )
  }
  const [, code] = /```rust\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'))
  writeFileSync(join(user, 'src/bin/readme.rs'), `fn main() {\n${code}}\n`)
  manifest.push('', '[patch.crates-io]')
  for (const archive of archives) {
    const name = archive.replace(/\.crate$/, '')
    manifest.push(`${name.replace(/-[^-]*$/, '')} = { path = ${JSON.stringify(join(crates, name))} }`)
  }
  writeFileSync(join(user, 'Cargo.toml'), `${manifest.join('\n')}\n`)
  // The same versions of everything else as here, and what was built of them.
  cpSync(join(root, 'Cargo.lock'), join(user, 'Cargo.lock'))
  run('cargo', ['build', '--quiet', '--bins', '--target-dir', join(root, 'target/packed')], { cwd: user })
  const what = isThere
    ? "the document's ten blocks and the README's"
    : "the README's example (SKIPPED: the document is not beside the project)"
  console.log(
    `${archives.length} crates packed; ${what} built on them, in ${Math.round((Date.now() - started) / 1000)} s`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
