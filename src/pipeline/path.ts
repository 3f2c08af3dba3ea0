import { fileURLToPath } from 'node:url'
import { checkString, refuse } from '../errors/check.js'

export function pathOf(path: string | URL): string {
  if (path instanceof URL)
    return path.protocol === 'file:' ? fileURLToPath(path) : refuse('path', 'a file: URL', path.href)
  return checkString('path', path).isWellFormed() ? path : refuse('path', 'well-formed text', path)
}
