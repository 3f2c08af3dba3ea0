// Builds the site of docs/ and of the public types into build/site, and follows every link in it. It needs no network but for
// its tools, which are installed into tools/ the first time.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const site = join(root, 'build/site')
const tools = join(root, 'tools')
const sources = join(root, 'build/site-sources')
const staged = join(sources, 'docs')

/** The pages of docs/ as the site's navigation has them; any other is a guide. */
const GROUPS = {
  Tutorials: ['tutorial-1-rings', 'tutorial-2-books', 'tutorial-3-stages', 'tutorial-4-bundles', 'tutorial-5-metrics'],
  Guides: [
    'write-a-stage',
    'write-an-expression',
    'place-threads',
    'live-markets',
    'command-line',
    'read-the-report',
    'metrics',
    'top',
    'ship-it',
  ],
  Understand: ['how-it-works', 'performance', 'errors', 'runtimes', 'lifecycle', 'decisions'],
  'Move here': ['coming-from-ccxt', 'coming-from-ringbuf', 'coming-from-jito-ts'],
}

function run(command, args) {
  if (spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) process.exit(1)
}

if (!existsSync(join(tools, 'node_modules'))) run('npm', ['ci', '--prefix', tools, '--no-audit', '--no-fund'])
run(process.execPath, ['scripts/errors-page.mjs', '--check'])

// Each page with the name and group of the navigation, which its text alone doesn't need.
rmSync(sources, { recursive: true, force: true })
mkdirSync(staged, { recursive: true })
// What pages lead to lies beside them, as in the repository.
for (const name of ['docs/media', 'docs/start-here.md', 'docs/report.schema.json', 'examples'])
  cpSync(join(root, name), join(sources, name), { recursive: true })
const named = Object.values(GROUPS).flat()
const isPage = (name) => name.endsWith('.md') && name !== 'start-here.md'
const all = readdirSync(join(root, 'docs')).filter(isPage)
const others = all.map((name) => name.slice(0, -3)).filter((name) => !named.includes(name))
const names = Object.entries({ ...GROUPS, Guides: [...GROUPS.Guides, ...others] }).flatMap(([group, pages]) =>
  pages.map((name) => {
    const text = readFileSync(join(root, 'docs', `${name}.md`), 'utf8')
    const [, title] = /^# (.*)$/m.exec(text)
    writeFileSync(join(staged, `${name}.md`), `---\ntitle: ${JSON.stringify(title)}\ngroup: ${group}\n---\n\n${text}`)
    return name
  }),
)
const documents = names.flatMap((name) => ['--projectDocuments', join(staged, `${name}.md`)])
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const types = Object.values(exports).flatMap((each) => (each.types ? ['--entryPoints', join(root, each.types)] : []))
run(process.execPath, [
  join(tools, 'node_modules/typedoc/bin/typedoc'),
  '--options',
  join(tools, 'typedoc.json'),
  ...types,
  ...documents,
])

const pages = readdirSync(site, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
  .map((entry) => join(entry.parentPath, entry.name))
const texts = new Map(pages.map((page) => [page, readFileSync(page, 'utf8')]))
const idsOf = (page) => new Set([...texts.get(page).matchAll(/\b(?:id|name)="([^"]+)"/g)].map(([, id]) => id))
const ids = new Map(pages.map((page) => [page, idsOf(page)]))

// Without it the page's search box finds nothing, and says nothing.
const index = join(site, 'assets/search.js')
if (!existsSync(index) || !readFileSync(index, 'utf8').startsWith('window.searchData')) {
  console.error(`velox-engine: ${relative(root, index)}: expected the index of the site's search, got none`)
  process.exit(1)
}

let links = 0
const broken = []
for (const [page, text] of texts) {
  const found = [...text.matchAll(/\b(?:href|src)="([^"]*)"/g)].map(([, link]) => link.replaceAll('&amp;', '&'))
  for (const link of found) {
    // Another site: it isn't this build's to say whether it is there.
    if (/^[a-z]+:/.test(link)) continue
    links++
    const [path, anchor] = link.split('#', 2)
    const target = path === '' ? page : resolve(dirname(page), decodeURIComponent(path))
    const isThere = existsSync(target)
    const isAnchored = !anchor || !ids.has(target) || ids.get(target).has(decodeURIComponent(anchor))
    if (!isThere || !isAnchored) broken.push(`${relative(site, page)}: ${link}`)
  }
  // The page must be whole without a network.
  for (const [, source] of text.matchAll(/<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"/g))
    broken.push(`${relative(site, page)}: loads ${source}`)
}
for (const one of new Set(broken)) console.error(`velox-engine: a broken link: ${one}`)
console.log(`build/site: ${pages.length} pages, ${links} links, ${new Set(broken).size} broken`)
process.exitCode = broken.length > 0 ? 1 : 0
