// Counts the instructions of an operation of the ring, the books, an expression and the clock under valgrind's callgrind, and holds
// them to bench/instructions.json: a busy machine changes times, not these; another compiler does, and is skipped. More than 3 %
// away is a failure; `--update` writes what was found. What a start costs is left out: two runs of different length are subtracted.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const FILE = new URL('instructions.json', import.meta.url)
/** How far a count may be from the committed one. */
const BAND = 0.03
const WORKS = ['ring', 'ringBatched', 'book', 'orderBook', 'expression', 'clock']
/** Operations of a block: `velox_bench::BLOCK`. */
const BLOCK = 256
/** Blocks of both runs. The prepared data is 256 blocks: a whole turn of it before, a whole turn between. */
const [SHORT, LONG] = [256, 512]

function run(command, args, o = {}) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8', ...o })
}

if (run('valgrind', ['--version']).status !== 0) {
  console.log('SKIPPED: valgrind is not installed: instructions are not counted')
  process.exit(0)
}
const rust = run('rustc', ['--version']).stdout.trim().split(' ')[1]
const committed = process.argv[2] === '--update' ? undefined : JSON.parse(readFileSync(FILE, 'utf8'))
if (committed && committed.rust !== rust) {
  console.log(`SKIPPED: counts are committed for Rust ${committed.rust}, this is ${rust}: --update writes new ones`)
  process.exit(0)
}
if (process.arch !== 'x64') {
  console.log(`SKIPPED: counts are committed for x64, this is ${process.arch}`)
  process.exit(0)
}
const built = run('cargo', ['build', '--release', '--quiet', '-p', 'velox-bench', '--example', 'repeat'], {
  stdio: ['ignore', 2, 2],
})
if (built.status !== 0) process.exit(1)
const program = `${process.env.CARGO_TARGET_DIR ?? `${root}target`}/release/examples/repeat`

function instructions(name, blocks) {
  const args = ['--tool=callgrind', '--callgrind-out-file=/dev/null', program, name, String(blocks)]
  const { status, stderr } = run('valgrind', args)
  const [, count] = /Collected : (\d+)/.exec(stderr) ?? []
  if (status !== 0 || count === undefined) {
    console.error(`velox-engine: callgrind gave no count for ${name}: ${stderr}`)
    process.exit(1)
  }
  return Number(count)
}

const found = Object.fromEntries(
  WORKS.map((name) => {
    const each = (instructions(name, LONG) - instructions(name, SHORT)) / ((LONG - SHORT) * BLOCK)
    return [name, Number(each.toFixed(2))]
  }),
)

if (committed === undefined) {
  writeFileSync(FILE, `${JSON.stringify({ rust, instructions: found }, null, 2)}\n`)
  console.log(found)
  process.exit(0)
}

let failed = 0
for (const name of WORKS) {
  const [was, is] = [committed.instructions[name], found[name]]
  const change = is / was - 1
  const isOff = Math.abs(change) > BAND
  failed += isOff ? 1 : 0
  console.log(`${name}: ${is} instructions, committed ${was}: ${(100 * change).toFixed(2)} %${isOff ? ' FAILED' : ''}`)
}
if (failed > 0)
  console.error(
    `velox-engine: ${failed} of ${WORKS.length} counts are more than 3 % away; where that is meant: --update`,
  )
process.exitCode = failed > 0 ? 1 : 0
