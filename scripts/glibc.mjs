// The newest version of glibc that a binary asks for: `node scripts/glibc.mjs FILE [MOST]` prints it, and exits 1 where it is
// above MOST.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Compares versions by their numbers: 2.9 is below 2.17. */
export function isAbove(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  for (let i = 0; i < Math.max(left.length, right.length); i++)
    if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) > (right[i] ?? 0)
  return false
}

/** The newest `GLIBC_x.y` among the names of a binary; undefined where it needs none. */
export function newestGlibc(bytes) {
  const found = [...bytes.toString('latin1').matchAll(/\0GLIBC_(\d+(?:\.\d+)+)(?=\0)/g)].map(([, version]) => version)
  return found.reduce((most, version) => (most === undefined || isAbove(version, most) ? version : most), undefined)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, most] = process.argv.slice(2)
  const newest = newestGlibc(readFileSync(file))
  console.log(`${file}: ${newest === undefined ? 'no glibc' : `glibc ${newest}`}`)
  if (most !== undefined && newest !== undefined && isAbove(newest, most)) {
    console.error(`velox-engine: ${file}: expected glibc ${most} at most, got ${newest}`)
    process.exitCode = 1
  }
}
