// An npm registry on this machine with velox-engine and its platforms as they would be published, and nothing else: what a
// package manager does with them is what it does for a user. What isn't there is answered by 404, not fetched from elsewhere.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const hash = (algorithm, bytes, encoding) => createHash(algorithm).update(bytes).digest(encoding)

/** What is published: by name, its manifest and its tarball; of a platform without a binary here only the manifest. */
function published(manifestOf) {
  const names = ['velox-engine', ...readdirSync(join(root, 'npm')).map((platform) => `velox-engine-${platform}`)]
  return new Map(
    names.map((name) => {
      const manifest = manifestOf(name)
      const file = join(root, 'build/packages', `${name}-${manifest.version}.tgz`)
      return [name, { manifest, tarball: existsSync(file) ? readFileSync(file) : Buffer.alloc(0) }]
    }),
  )
}

/**
 * Starts it over what `scripts/packages.mjs` made.
 *
 * @param {(name: string) => object} manifestOf the package.json of a package
 */
export async function registry(manifestOf) {
  const packages = published(manifestOf)
  const server = createServer((request, response) => {
    const [, name = '', , file] = decodeURIComponent(request.url ?? '').split('/')
    const found = packages.get(name)
    if (found === undefined || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
      return
    }
    const { manifest, tarball } = found
    if (file !== undefined) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball)
      return
    }
    const dist = {
      tarball: `${address}/${name}/-/${name}-${manifest.version}.tgz`,
      shasum: hash('sha1', tarball, 'hex'),
      integrity: `sha512-${hash('sha512', tarball, 'base64')}`,
    }
    const packument = {
      name,
      'dist-tags': { latest: manifest.version },
      versions: { [manifest.version]: { ...manifest, _id: `${name}@${manifest.version}`, dist } },
      // Long ago: some package managers wait before they take what is new.
      time: { [manifest.version]: '2024-01-01T00:00:00.000Z' },
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(packument))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${server.address().port}`
  return { address, close: () => server.close() }
}

/** The package.json of a package that was packed, or of a platform that wasn't. */
export function manifests(readPacked) {
  return (name) =>
    name === 'velox-engine'
      ? readPacked(name)
      : JSON.parse(readFileSync(join(root, 'npm', name.slice('velox-engine-'.length), 'package.json'), 'utf8'))
}
