// Checks the crates for the platforms that are published, from any Unix machine: that each call of a system has its `cfg` and
// its fallback. `npm run check:platforms [-- TARGET …]`. Rust alone is checked: C (zstd, ring) is left out by a compiler and an
// archiver that write empty files, as nothing is linked. Rust's own targets come by rustup.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const TARGETS = [
  'x86_64-pc-windows-msvc',
  'aarch64-apple-darwin',
  'x86_64-apple-darwin',
  'aarch64-unknown-linux-gnu',
  'x86_64-unknown-linux-musl',
]

/** Writes an empty file to whatever it is told to write to, in the words of cc, cl, ar and lib. */
const STUB = `#!/usr/bin/env node
const { writeFileSync } = require('node:fs')
const args = process.argv.slice(2)
if (args.includes('-E') || args.includes('--version')) console.log('gcc')
args.forEach((arg, i) => {
  const path = arg === '-o' ? args[i + 1] : (/^[-/](?:fo|out:)(.+)/i.exec(arg)?.[1] ?? (/\\.(?:a|lib)$/.test(arg) ? arg : ''))
  if (path) writeFileSync(path, /\\.(?:a|lib)$/.test(path) ? '!<arch>\\n' : '')
})
`

const folder = mkdtempSync(join(tmpdir(), 'velox-platforms-'))
const stub = join(folder, 'stub.cjs')
writeFileSync(stub, STUB, { mode: 0o755 })

function run(command, args, env = {}) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0
}

const asked = process.argv.slice(2)
const failed = []
for (const target of asked.length > 0 ? asked : TARGETS) {
  const of = target.replaceAll('-', '_')
  const env = { [`CC_${of}`]: stub, [`AR_${of}`]: stub, RUSTFLAGS: '-D warnings' }
  const args = [
    'check',
    '--quiet',
    '--target',
    target,
    '-p',
    'velox-node',
    '-p',
    'velox-solana',
    '--features',
    'velox-solana/rpc',
  ]
  const passes = run('rustup', ['target', 'add', target]) && run('cargo', args, env)
  console.log(`${target}: ${passes ? 'passes' : 'FAILED'}`)
  if (!passes) failed.push(target)
}
rmSync(folder, { recursive: true })
process.exitCode = failed.length > 0 ? 1 : 0
