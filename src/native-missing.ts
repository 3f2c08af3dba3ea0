import { VeloxError } from './errors/velox-error.js'
import { tooOld } from './old-node.js'
import { DIST } from './place.js'
import { VERSION } from './version.js'

/** The platforms that have a package with a binary: those of `napi.targets` in package.json, as packages are named. */
export const PREBUILT: readonly string[] = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'darwin-arm64',
  'darwin-x64',
  'win32-x64-msvc',
]

/** What this process runs on, as far as a binary cares. */
export interface Platform {
  readonly platform: NodeJS.Platform
  readonly arch: string
  /** See {@link libcOf}. */
  readonly libc?: string
}

/** Of Linux: glibc's version, or `musl`; undefined where the runtime doesn't tell. */
export function libcOf(): string | undefined {
  const { report } = process as { report?: { excludeNetwork?: boolean; getReport(): object } }
  if (report === undefined) return undefined
  report.excludeNetwork = true
  const { header, sharedObjects = [] } = reported(report) as {
    header?: { glibcVersionRuntime?: string }
    sharedObjects?: string[]
  }
  if (header?.glibcVersionRuntime) return header.glibcVersionRuntime
  return sharedObjects.some((path) => /ld-musl-|libc\.musl-/.test(path)) ? 'musl' : undefined
}

/** Deno lets a program without rights ask for none of it. */
function reported(report: { getReport(): object }): object {
  try {
    return report.getReport()
  } catch {
    return {}
  }
}

function here(): Platform {
  const { platform, arch } = process
  const libc = platform === 'linux' ? libcOf() : undefined
  return { platform, arch, ...(libc !== undefined && { libc }) }
}

/** The name of the package's ending for a platform. */
function endingOf({ platform, arch, libc }: Platform): string {
  const abi = platform === 'linux' ? (libc === 'musl' ? '-musl' : '-gnu') : platform === 'win32' ? '-msvc' : ''
  return `${platform}-${arch}${abi}`
}

/**
 * What was tried, each once and in a line. Of the generated loader's own, what it asks of a build for WebAssembly, which there is none
 * of, and its guess at npm are left out.
 */
function triedOf(cause: unknown): string[] {
  const tried: string[] = []
  for (let error: unknown = cause; error instanceof Error && tried.length < 16; error = error.cause)
    tried.push((error.message.split('\n')[0] as string).trim())
  const told = [...new Set(tried)].filter((one) => !/wasi|^Cannot find native binding\./.test(one))
  return told.length > 0 ? told : tried.slice(0, 1)
}

/** What to do where the binary is there, and the runtime was not allowed to load it, or can't. */
function allowed(tried: readonly string[]): string | undefined {
  const told = tried.join('; ')
  if (told.includes('--allow-ffi')) return 'Run it with --allow-ffi, and --allow-read for the package'
  if (told.includes('loading addons is disabled')) return 'Run it with --allow-addons, which a native addon needs'
  if (/GLIBC_[\d.]+' not found/.test(told)) return 'This system is older than what it is built for: glibc 2.17 or newer'
  return undefined
}

function toInstall(ending: string): string {
  return PREBUILT.includes(ending)
    ? `Run: npm install velox-engine-${ending}@${VERSION} (without --omit=optional; node_modules of another system don't do)`
    : `There is none for it, only for ${PREBUILT.join(', ')}. Build it with Rust: npm run build in a clone`
}

/** What a binary that doesn't load is told with: where, what was tried, what to install. */
export function nativeMissing(cause: unknown, on: Platform = here(), versions = process.versions): Error {
  const ending = endingOf(on)
  const tried = triedOf(cause)
  const install = allowed(tried) ?? toInstall(ending)
  // The warning of the process comes too late where the import ends it.
  const told = [tooOld(versions), install].filter((one) => one !== undefined).join('. ')
  const libc = on.libc !== undefined && { libc: on.libc }
  return new VeloxError('VELOX_NATIVE_MISSING', { platform: ending, ...libc, tried, install: told }, { cause })
}

/** Where the modules were taken away from what lies beside them. */
export function nativeOfBundle(on: Platform = here()): Error {
  const tried = [`its code in a bundle, away from its package: ${DIST.href}`]
  const install =
    'Leave velox-engine out of the bundle and install it beside: esbuild --external:velox-engine, `external` or `externals` of others'
  const libc = on.libc !== undefined && { libc: on.libc }
  return new VeloxError('VELOX_NATIVE_MISSING', { platform: endingOf(on), ...libc, tried, install })
}

/** What a binary of another version is told with: `got` is the version that it tells, or undefined. */
export function nativeOfAnotherVersion(got: string | undefined, on: Platform = here()): Error {
  const sentence = `expected velox-engine-${endingOf(on)} ${VERSION}, got ${got ?? 'one that tells no version'}`
  return nativeMissing(new Error(sentence), on)
}
