import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the checks look at: the system's own files, and this process. Elsewhere than at `/` for tests. */
export class Machine {
  readonly #root: string
  readonly platform: NodeJS.Platform

  constructor(root = '/', platform: NodeJS.Platform = process.platform) {
    this.#root = root
    this.platform = platform
  }

  /** What a file of the system says, without the line's end; undefined where it isn't there or may not be read. */
  read(path: string): string | undefined {
    try {
      return readFileSync(join(this.#root, path), 'utf8').trim()
    } catch {
      return undefined
    }
  }

  /** The names in a folder of the system; none where it isn't there. */
  list(path: string): string[] {
    try {
      return readdirSync(join(this.#root, path)).sort()
    } catch {
      return []
    }
  }

  get isLinux(): boolean {
    return this.platform === 'linux'
  }
}
