// Installs the packages of build/packages by npm, pnpm and Yarn PnP into empty folders, runs the programs of test/package on Node
// 20, 22, 24, 26, Bun and Deno, holds an import to 30 ms, asks an old Node what it is told, and publint and attw what they complain
// of, and writes the result into docs/runtimes.md. `npm run build` first. What can't be had is skipped, and counted.
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CASES, runPrograms, writePrograms } from '../test/package/cases.mjs'
import { MANAGERS } from '../test/package/install.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const DOC = join(root, 'docs/runtimes.md')
const BETWEEN = /(?<=<!-- results -->\n).*(?=<!-- end of results -->)/s
/** Runtimes as npm packages: their program, how a file is run, and the name that is shown. */
const RUNTIMES = ['node@20', 'node@22', 'node@24', 'node@26', 'bun', 'deno']
/** Older than what package.json asks for: it is told which to install. */
const OLD_NODE = 'node@18'
/** What an import may take of a processor, in ms. */
const MOST_IMPORT_MILLIS = 30
const TITLES = { node: 'Node', bun: 'Bun', deno: 'Deno' }

const folder = mkdtempSync(join(tmpdir(), 'velox-matrix-'))
const started = Date.now()
const skipped = []

/** Installs an npm package apart; gives the folder, or undefined and says so. */
async function install(...specs) {
  const own = join(folder, specs[0].replaceAll('/', '-'))
  mkdirSync(own)
  writeFileSync(join(own, 'package.json'), '{ "private": true }')
  try {
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...specs], { cwd: own })
    return own
  } catch (error) {
    const why = error.stderr?.split('\n').find((line) => line.startsWith('npm error')) ?? error.message
    skipped.push(`${specs.join(', ')}: ${why}`)
    return undefined
  }
}

async function runtime(spec) {
  const [name] = spec.split('@')
  const own = await install(spec)
  if (own === undefined) return undefined
  const command = join(own, 'node_modules/.bin', name)
  const { status, stdout, error } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  if (status !== 0) {
    skipped.push(`${spec}: ${error?.message ?? `--version gave ${status}`}`)
    return undefined
  }
  return { name, title: `${TITLES[name]} ${/\d+\.\d+\.\d+/.exec(stdout)[0]}`, command }
}

/** The registry, in a process of its own: package managers are waited for. */
async function serve(manifest) {
  const child = spawn(process.execPath, [join(root, 'test/package/serve.mjs'), manifest], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const address = await new Promise((resolve) => child.stdout.once('data', (data) => resolve(String(data).trim())))
  return { address, close: () => child.kill() }
}

/** The tools of package managers that don't come with Node, on this Node. */
async function tool(name) {
  if (name === undefined) return {}
  const own = await install(name === 'yarn' ? '@yarnpkg/cli-dist' : name)
  if (own === undefined) return undefined
  const [, file] = { pnpm: ['', 'pnpm/bin/pnpm.mjs'], yarn: ['', '@yarnpkg/cli-dist/bin/yarn.js'] }[name]
  const path = ['', '.cjs']
    .map((end) => join(own, 'node_modules', end ? file.replace('.mjs', end) : file))
    .find(existsSync)
  // The newest may need a newer Node than this one.
  return { node: newest?.command ?? process.execPath, file: path }
}

function howFor(manager, { name, command }) {
  if (name === 'node') return manager.node(command)
  if (name === 'bun') return (file) => ({ command, args: ['run', file] })
  return (file) => ({ command, args: ['run', '--allow-all', '--node-modules-dir=manual', '--quiet', file] })
}

/** publint and attw over the packed package; what they complain of. */
function tools(tarball) {
  const bin = join(root, 'tools/node_modules/.bin')
  if (!existsSync(bin)) execFileSync('npm', ['ci', '--prefix', join(root, 'tools'), '--no-audit', '--no-fund'])
  return [
    ['publint --strict', [join(bin, 'publint'), tarball, '--strict']],
    ['attw --profile esm-only', [join(bin, 'attw'), tarball, '--profile', 'esm-only', '--no-emoji']],
  ].map(([name, [command, ...args]]) => {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: root })
    return { name, wrong: status === 0 ? undefined : `${stdout}${stderr}`.trim() }
  })
}

/** What the first import takes of a processor, in ms: the middle of 21 processes. A busy machine doesn't change it as it does time. */
function importMillis(own, command) {
  const code = `const from = process.cpuUsage(); await import('velox-engine'); const { user, system } = process.cpuUsage(from)
    console.log((user + system) / 1000)`
  const times = Array.from({ length: 21 }, () =>
    Number(execFileSync(command, ['--input-type=module', '--eval', code], { cwd: own, encoding: 'utf8' })),
  )
  return times.sort((a, b) => a - b)[10]
}

/** Importing on a Node, as a note; what takes too long, and does so again, is wrong. */
function imports(own, { title, command }) {
  const found = [importMillis(own, command)]
  if (found[0] > MOST_IMPORT_MILLIS) found.push(importMillis(own, command))
  const millis = Math.min(...found)
  notes.push(`import on ${title}: ${millis.toFixed(0)} ms of a processor`)
  // Cores that are shared with others are slower by half and more.
  const [load] = loadavg()
  if (millis > MOST_IMPORT_MILLIS && load > 1.5 * cpus().length) {
    skipped.push(
      `an import on ${title} in ${MOST_IMPORT_MILLIS} ms: the machine is busy, with a load of ${load.toFixed(1)}`,
    )
    return
  }
  const wrong = millis > MOST_IMPORT_MILLIS ? `took ${millis.toFixed(1)} ms of ${MOST_IMPORT_MILLIS}` : undefined
  results.push({ manager: 'import', title, wrong: { import: wrong } })
  if (wrong !== undefined) console.log(`import on ${title}: ${wrong}`)
}

/** What an old Node says of the first script: the sentence that names the Node to install must be on its error output. */
async function oldNode(own) {
  const old = await runtime(OLD_NODE)
  if (old === undefined) return
  const [file] = Object.keys(CASES['quick start'].files)
  const { stderr } = spawnSync(old.command, [file], { cwd: own, encoding: 'utf8', timeout: 60_000 })
  const isTold = /expected Node [\d.]+ or newer, got 18\.[\d.]+: install Node \d+/.test(stderr)
  const wrong = isTold ? undefined : `names no Node to install: ${stderr}`
  results.push({ manager: 'old', title: old.title, wrong: { old: wrong } })
  notes.push(`${old.title}, too old: ${isTold ? 'names the Node to install' : 'NAMES NO Node to install'}`)
  if (wrong !== undefined) console.log(`${old.title}: ${wrong}`)
}

const results = []
const notes = []
let newest
try {
  execFileSync(process.execPath, ['scripts/packages.mjs'], { cwd: root, stdio: 'inherit' })
  const packages = join(root, 'build/packages')
  const tarball = join(
    packages,
    readdirSync(packages).find((name) => /^velox-engine-\d/.test(name)),
  )
  execFileSync('tar', ['xzf', tarball, '-C', folder])
  const served = await serve(join(folder, 'package/package.json'))

  const runtimes = []
  for (const spec of RUNTIMES) runtimes.push(await runtime(spec))
  const found = runtimes.filter((one) => one !== undefined)
  newest = found.findLast(({ name }) => name === 'node')

  for (const [name, manager] of Object.entries(MANAGERS)) {
    const own = join(folder, `by ${name}`)
    const program = await tool(manager.tool)
    if (program === undefined) continue
    try {
      const from = Date.now()
      manager.install(own, served.address, program)
      notes.push(`${name}: installed in ${((Date.now() - from) / 1000).toFixed(1)} s`)
    } catch (error) {
      results.push({
        manager: name,
        title: 'install',
        wrong: { install: String(error.stderr || error.stdout || error.message) },
      })
      continue
    }
    writePrograms(own)
    for (const one of found) {
      // PnP is Yarn's own way of loading: runtimes other than Node don't have it.
      if (name === 'Yarn PnP' && one.name !== 'node') continue
      const wrong = runPrograms(own, howFor(manager, one))
      results.push({ manager: name, title: one.title, wrong })
      const bad = Object.entries(wrong).filter(([, why]) => why !== undefined)
      console.log(
        `${name}, ${one.title}: ${bad.length === 0 ? 'all' : JSON.stringify(Object.fromEntries(bad), null, 2)}`,
      )
    }
    if (name === 'npm') {
      for (const one of found.filter((each) => each.name === 'node')) imports(own, one)
      await oldNode(own)
    }
  }
  served.close()
  for (const { name, wrong } of tools(tarball)) {
    results.push({ manager: 'packed', title: name, wrong: { [name]: wrong } })
    console.log(`${name}: ${wrong ?? 'nothing to complain of'}`)
  }

  const names = Object.keys(CASES)
  const mark = (why) => (why === undefined ? 'yes' : 'NO')
  const row = (cells) => `| ${cells.join(' | ')} |`
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim()
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, ${platform()} ${arch()} ${release()}, ${cpus().length} × ${cpus()[0].model}, commit ${commit},`,
    `in ${Math.round((Date.now() - started) / 1000)} seconds:`,
    '',
    row(['installed by', 'runs on', ...names]),
    row(['---', '---', ...names.map(() => '---')]),
    ...results
      .filter(({ manager }) => Object.hasOwn(MANAGERS, manager))
      .map(({ manager, title, wrong }) =>
        row([manager, title, ...names.map((name) => mark(wrong.install ?? wrong[name]))]),
      ),
    '',
    ...results
      .filter(({ manager }) => manager === 'packed')
      .map(
        ({ title, wrong }) => `- \`${title}\`: ${wrong[title] === undefined ? 'nothing to complain of' : 'complains'}`,
      ),
    ...notes.map((note) => `- ${note}`),
    ...skipped.map((why) => `- Not tried: ${why}`),
  ]
  writeFileSync(
    DOC,
    readFileSync(DOC, 'utf8').replace(BETWEEN, () => `\n${lines.join('\n')}\n\n`),
  )
  for (const why of skipped) console.log(`SKIPPED: ${why}`)
  const all = results.flatMap(({ wrong }) => Object.values(wrong))
  const failed = all.filter((why) => why !== undefined).length
  console.log(`${all.length - failed} passed, ${failed} failed, ${skipped.length} skipped`)
  process.exitCode = failed > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
