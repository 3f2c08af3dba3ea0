/** A command of `velox`. What it needs beside its arguments is loaded when it runs: help needs no native addon. */
export interface Command<O> {
  /** How it is called, what it does, its options, examples and exit codes. */
  readonly help: string
  /** @throws VeloxError for arguments that it doesn't take. */
  parse(args: readonly string[]): O | 'help'
  /** Gives the exit code. */
  run(options: O): Promise<number>
}

/** Options that every command has. */
export const COMMON = { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } } as const
