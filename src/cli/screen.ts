import type { ReadStream, WriteStream } from 'node:tty'
import type { Look } from './table.js'

/** How lines are to be drawn for an output: without escape codes where it is no terminal. */
export function lookOf(out: { isTTY?: boolean; columns?: number }): Look {
  const { NO_COLOR, TERM } = process.env
  // A terminal that knows no size says 0.
  const columns = out.isTTY ? out.columns || 80 : Number.POSITIVE_INFINITY
  return { columns, color: out.isTTY === true && !NO_COLOR && TERM !== 'dumb' }
}

/** Whether an output is a terminal that can be drawn in place; a dumb one can only be written on. */
export function isScreen(out: { isTTY?: boolean }): boolean {
  const { TERM } = process.env
  return out.isTTY === true && TERM !== 'dumb'
}

/** The lines that a terminal shows now, in place of those before; what was on it comes back at the end. */
export class Screen {
  readonly #out: WriteStream
  readonly #in: ReadStream
  readonly #ended: () => void
  #lines: readonly string[] = []

  constructor(out: WriteStream, keys: ReadStream, ended: () => void) {
    this.#out = out
    this.#in = keys
    this.#ended = ended
    // Another page without a cursor, so that the lines of the shell stay as they were.
    out.write('\x1b[?1049h\x1b[?25l')
    out.on('resize', this.#draw)
    if (keys.isTTY) keys.setRawMode(true).on('data', this.#key).resume()
  }

  show(lines: readonly string[]): void {
    this.#lines = lines
    this.#draw()
  }

  close(): void {
    this.#out.off('resize', this.#draw)
    if (this.#in.isTTY) this.#in.off('data', this.#key).setRawMode(false).pause()
    this.#out.write('\x1b[?25h\x1b[?1049l')
  }

  readonly #key = (data: Buffer): void => {
    // Ctrl-C comes as a letter while keys come one by one.
    if (['q', '\x03'].some((key) => data.includes(key))) this.#ended()
  }

  readonly #draw = (): void => {
    const rows = this.#out.rows || 24
    // A low terminal has no room for air.
    const all = this.#lines.length <= rows ? this.#lines : this.#lines.filter((line) => line !== '')
    const lines = all.length <= rows ? all : [...all.slice(0, rows - 1), '…']
    // Line over line, and no clearing before: nothing flickers.
    this.#out.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`)
  }
}
