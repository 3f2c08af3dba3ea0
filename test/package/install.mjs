// How each package manager installs velox-engine into an empty folder from a registry, and how programs are run there.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const run = (command, args, cwd, env) =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })

/** An empty project in a folder of its own. */
function project(folder, manifest = {}) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'user', version: '1.0.0', private: true, ...manifest }),
  )
}

/**
 * By name: `install` puts the package into a folder, `node` says how a file is run there by a Node. `tool` is the manager's own
 * program where it isn't npm, which comes with Node.
 */
export const MANAGERS = {
  npm: {
    install(folder, registry) {
      project(folder)
      const args = ['install', 'velox-engine', `--registry=${registry}`, `--cache=${join(folder, '.cache')}`]
      run('npm', [...args, '--no-audit', '--no-fund', '--no-update-notifier'], folder)
    },
    node: (command) => (file) => ({ command, args: [file] }),
  },
  pnpm: {
    tool: 'pnpm',
    install(folder, registry, tool) {
      project(folder)
      const own = [`--registry=${registry}`, `--store-dir=${join(folder, '.store')}`]
      const env = {
        XDG_CACHE_HOME: join(folder, '.cache'),
        XDG_STATE_HOME: join(folder, '.state'),
        COREPACK_ENABLE_STRICT: '0',
      }
      run(tool.node, [tool.file, 'add', 'velox-engine', ...own], folder, env)
    },
    node: (command) => (file) => ({ command, args: [file] }),
  },
  'Yarn PnP': {
    tool: 'yarn',
    install(folder, registry, tool) {
      project(folder)
      const settings = [
        `npmRegistryServer: "${registry}"`,
        'unsafeHttpWhitelist: ["127.0.0.1"]',
        'enableTelemetry: false',
        'enableGlobalCache: false',
        // What it knows of a registry it keeps here too, by the port of an earlier one.
        'globalFolder: .yarn/global',
        'nodeLinker: pnp',
        'npmMinimalAgeGate: 0',
      ]
      writeFileSync(join(folder, '.yarnrc.yml'), `${settings.join('\n')}\n`)
      writeFileSync(join(folder, 'yarn.lock'), '')
      run(tool.node, [tool.file, 'add', 'velox-engine'], folder)
    },
    node: (command) => (file) => ({
      command,
      args: ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs', '--no-warnings', file],
    }),
  },
}
