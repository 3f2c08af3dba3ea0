// Runs every case of test/lifecycle so many times (50, or the first argument) on the installed Node and on other runtimes,
// which npm installs into a folder of their own for as long as it takes, and writes the result into docs/lifecycle.md.
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CASES, ENDS, INSTALLED, inParallel, KINDS, once, STATES } from '../test/lifecycle/cases.mjs'

const TIMES = Number(process.argv[2] ?? 50)
const WIDTH = 2
if (!Number.isSafeInteger(TIMES) || TIMES < 1) {
  console.error(`times: expected a whole number above 0, got ${process.argv[2]}`)
  process.exit(2)
}
const ROOT = new URL('../', import.meta.url)
const DOC = new URL('docs/lifecycle.md', ROOT)
const BETWEEN = /(?<=<!-- results -->\n).*(?=<!-- end of results -->)/s

const major = process.versions.node.split('.')[0]
const others = [20, 22, 24].filter((version) => String(version) !== major).map((version) => `node@${version}`)
const wanted = [...others, 'bun', 'deno']

const folder = mkdtempSync(join(tmpdir(), 'velox-soak-'))
const started = Date.now()

/** Installs a runtime; gives it, or why there is none. */
async function install(spec) {
  const [name] = spec.split('@')
  const own = join(folder, spec)
  mkdirSync(own)
  writeFileSync(join(own, 'package.json'), '{ "private": true }')
  try {
    await promisify(execFile)('npm', ['install', '--no-save', '--no-audit', '--no-fund', spec], { cwd: own })
  } catch (error) {
    return { spec, missing: error.stderr.split('\n').find((line) => line.startsWith('npm error')) ?? error.message }
  }
  const command = join(own, 'node_modules/.bin', name)
  const { status, stdout, error } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  if (status !== 0) return { spec, missing: error?.message ?? `${name} --version gave ${status}` }
  const title = { node: 'Node', bun: 'Bun', deno: 'Deno' }[name]
  const [version] = /\d+\.\d+\.\d+/.exec(stdout)
  return { name: `${title} ${version}`, command, args: name === 'deno' ? ['run', '--allow-all'] : [] }
}

/** Runs all cases on a runtime; gives how many passed of each, and what was wrong. */
async function soak(runtime) {
  const passed = new Map(CASES.map((each) => [each, 0]))
  const wrong = []
  // Round by round, so that what disturbs the machine for a while doesn't hit one case alone.
  const rounds = Array.from({ length: TIMES }, () => CASES).flat()
  await inParallel(rounds, WIDTH, async (each) => {
    const complaint = await once(each, runtime)
    if (complaint === undefined) passed.set(each, passed.get(each) + 1)
    else {
      wrong.push({ ...each, complaint })
      console.log(`${runtime.name}: ${each.end}, ${each.state}, ${each.kind}: ${complaint}`)
    }
  })
  console.log(`${runtime.name}: ${rounds.length - wrong.length} of ${rounds.length} passed`)
  return { name: runtime.name, passed, wrong }
}

/** The commit that was tried; what is not committed may differ from it. */
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).stdout?.trim()
const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))

const row = (cells) => `| ${cells.join(' | ')} |`

function written(results, missing) {
  const tried = TIMES * KINDS.length
  const lines = Object.keys(ENDS).flatMap((end) =>
    STATES.map((state) => {
      const sums = results.map(({ passed }) => {
        const counts = CASES.filter((each) => each.end === end && each.state === state).map((each) => passed.get(each))
        return counts.reduce((sum, n) => sum + n, 0)
      })
      return row([end, state, ...sums.map((sum) => `${sum} of ${tried}`)])
    }),
  )
  const wrong = results.flatMap(({ name, wrong }) =>
    wrong.map(({ end, state, kind, complaint }) => `- ${name}, ${end}, ${state}, ${kind}: ${complaint.split('\n')[0]}`),
  )
  return [
    `${new Date().toISOString().slice(0, 10)}, ${platform()} ${arch()} ${release()}, ${cpus().length} × ${cpus()[0].model}:`,
    `velox-engine ${version} at commit ${commit || 'unknown'},`,
    `each case ${TIMES} times for each of ${KINDS.length} kinds of run, ${WIDTH} processes at a time, in ${Math.round((Date.now() - started) / 60_000)} minutes.`,
    '',
    row(['end', 'state', ...results.map(({ name }) => name)]),
    row(['---', '---', ...results.map(() => '---')]),
    ...lines,
    '',
    ...(wrong.length > 0 ? ['What went wrong:', '', ...wrong] : ['Nothing went wrong.']),
    ...missing.map(({ spec, missing: why }) => `Not tried, as it could not be installed: ${spec} (${why}).`),
  ].join('\n')
}

try {
  const found = [{ ...INSTALLED, name: `Node ${process.versions.node}` }]
  for (const spec of wanted) found.push(await install(spec))
  const missing = found.filter((runtime) => runtime.missing !== undefined)
  const results = []
  for (const runtime of found) {
    if (runtime.missing !== undefined) continue
    results.push(await soak(runtime))
    // What was tried is kept where the rest is not waited for.
    const text = readFileSync(DOC, 'utf8').replace(BETWEEN, () => `\n${written(results, missing)}\n\n`)
    writeFileSync(DOC, text)
  }
  for (const { spec, missing: why } of missing) console.log(`SKIPPED: ${spec}: ${why}`)
  const failed = results.reduce((sum, { wrong }) => sum + wrong.length, 0)
  const all = results.length * CASES.length * TIMES
  console.log(`${all - failed} passed, ${failed} failed, ${missing.length} runtimes skipped`)
  process.exitCode = failed > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true })
}
