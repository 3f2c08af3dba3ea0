// Bundles the TypeScript of src/ for the published package: of 60 modules an import takes 40 ms, of a few files 15. What several
// entries use is in files of its own beside them, so that each class is there once. Types and a clone's own dist/ are tsc's.
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What is loaded by its name: what package.json exports, its command, and the workers. */
function entries() {
  const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const named = [...Object.values(exports).map((each) => each.default), ...Object.values(bin)].filter(Boolean)
  const modules = named.map((path) => /^(?:\.\/)?dist\/(.*)\.js$/.exec(path)[1])
  return [...modules, 'stage/worker', 'metrics/server']
}

const inSource = (id) => relative(join(root, 'src'), id).replaceAll('\\', '/')
const isOfErrors = (id) => /^(?:errors\/|(?:native-missing|old-node|place|version)\.ts$)/.test(inSource(id))

/**
 * What several entries use, in two files: each file that is loaded costs an import a millisecond or two. The first is all that the
 * command needs before it knows what it is to do; no binary is loaded by it.
 */
const SHARED = [
  { name: 'errors', test: isOfErrors, minShareCount: 2 },
  { name: 'core', test: (id) => !isOfErrors(id) && !inSource(id).startsWith('cli/'), minShareCount: 2 },
]

/** Writes the modules into a folder. */
export async function bundle(dir) {
  const bundled = await rolldown({
    input: Object.fromEntries(entries().map((name) => [name, join(root, 'src', `${name}.ts`)])),
    platform: 'node',
    // Node's own modules, and peers that a user may have.
    external: /^[^./]/,
    resolve: { extensionAlias: { '.js': ['.ts'] } },
    // A warning is a module that isn't found, or a cycle: none of it may be published.
    onwarn(warning) {
      throw new Error(`velox-engine: the bundle: ${warning.message}`)
    },
  })
  // All beside the entries' own folder: `src/place.ts` says where the package is from there.
  await bundled.write({
    dir,
    format: 'esm',
    sourcemap: true,
    // What a debugger and a stack show: in the package, and not where it was built.
    sourcemapPathTransform(source, map) {
      const path = inSource(resolve(dirname(map), source))
      return relative(dirname(map), join(dir, '../src', path)).replaceAll('\\', '/')
    },
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: SHARED },
  })
  await bundled.close()
}
