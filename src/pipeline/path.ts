import { fileURLToPath } from 'node:url'
import { checkString, refuse, words } from '../errors/check.js'

export function pathOf(path: string | URL): string {
  if (path instanceof URL) {
    if (path.protocol === 'file:') return fileURLToPath(path)
    // Of another one the rest may be a key.
    return refuse('path', 'a file: URL', words(`one that begins with ${path.protocol}`))
  }
  return checkString('path', path).isWellFormed() ? path : refuse('path', 'well-formed text', path)
}
