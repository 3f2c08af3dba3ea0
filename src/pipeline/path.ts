import { fileURLToPath } from 'node:url'
import { checkString, refuse, words } from '../errors/check.js'

export function pathOf(path: string | URL): string {
  if (path instanceof URL) {
    if (path.protocol === 'file:') return fileURLToPath(path)
    // Of another one the rest may be a key.
    return refuse('path', 'a file: URL', words(`one that begins with ${path.protocol}`))
  }
  // As of an environment variable that isn't set.
  if (checkString('path', path) === '') refuse('path', 'the path of a file', path)
  return path.isWellFormed() ? path : refuse('path', 'well-formed text', path)
}
