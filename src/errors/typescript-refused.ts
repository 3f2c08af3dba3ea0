import { words } from './describe.js'
import { VeloxError } from './velox-error.js'

const EXPECTED = 'JavaScript, or TypeScript outside of node_modules on Node 22.18 or newer, Bun or Deno'

/** What a module in TypeScript is refused with, where this runtime doesn't load it; any other error as it is. */
export function typescriptRefused(field: string, file: string, error: unknown): unknown {
  const { code } = Object(error) as { code?: unknown }
  if (code !== 'ERR_UNKNOWN_FILE_EXTENSION' && code !== 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') return error
  const got = words(`${file}, which Node ${process.versions.node} doesn't run here: compile it by tsc first`)
  return new VeloxError('VELOX_INVALID_VALUE', { field, expected: EXPECTED, got }, { cause: error })
}
