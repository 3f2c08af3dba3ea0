/** Those that say how modules are found and loaded; each has a value. */
const LOADING = ['--require', '-r', '--import', '--loader', '--experimental-loader', '--conditions', '-C']

/**
 * Of a process's flags those that its workers need to find what it finds, as under Yarn PnP or tsx. Others may be refused by a
 * worker (`--input-type`) or not be its own (`--inspect-brk`). What comes by NODE_OPTIONS a worker has anyway.
 */
export function loaderFlags(flags: readonly string[] = process.execArgv): string[] {
  const kept: string[] = []
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] as string
    const [name = ''] = flag.split('=', 1)
    if (!LOADING.includes(name)) continue
    kept.push(flag)
    if (name === flag && flags[i + 1] !== undefined) kept.push(flags[++i] as string)
  }
  return kept
}
