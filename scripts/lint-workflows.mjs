// Lints .github/workflows by actionlint, and holds every action of others to a commit. actionlint is the one that is installed, or
// comes by Go; where there is neither that is told, and the rest is checked.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const MODULE = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12'

const folder = new URL('../.github/workflows/', import.meta.url)
const files = readdirSync(folder)
let complaints = 0

for (const file of files)
  readFileSync(new URL(file, folder), 'utf8')
    .split('\n')
    .forEach((line, i) => {
      const [, action] = /\buses: (\S+)/.exec(line) ?? []
      if (action === undefined || action.startsWith('./') || /@[0-9a-f]{40}$/.test(action)) return
      complaints++
      console.error(`.github/workflows/${file}:${i + 1}: expected an action by its commit, got ${action}`)
    })

const paths = files.map((file) => new URL(file, folder).pathname)
const ways = [
  ['actionlint', []],
  ['go', ['run', MODULE]],
]
const way = ways.find(([command]) => spawnSync(command, [command === 'go' ? 'version' : '-version']).status === 0)
if (way === undefined) console.log('SKIPPED: neither actionlint nor Go is installed: the workflows are not linted')
else if (spawnSync(way[0], [...way[1], ...paths], { stdio: 'inherit' }).status !== 0) complaints++

console.log(`${files.length} workflows, ${complaints} complaints`)
process.exitCode = complaints > 0 ? 1 : 0
