import { refuse } from '../../errors/check.js'
import { COMMON, type Command } from '../command.js'
import { valuesOf } from '../options.js'

export interface DoctorOptions {
  readonly json: boolean
}

const HELP = `velox doctor [options]

Looks at this machine as the engine sees it: processor, counter, clock source,
frequency, idle states, isolation, hyperthreads, huge pages, swap, limits, load,
libc, Node, and how much of a core the machine takes away. For each it says what
was found; where that costs latency, what it costs and how to mend it. It
changes nothing, and needs no rights.

  --json   the findings as JSON: name, found, verdict (good, costs, broken or
           unknown), cost, mend
  --help   this

Examples
  velox doctor
  velox doctor --json | jq '.findings[] | select(.verdict != "good") | .name'

Exit codes
  0  the engine runs here; some things may cost
  1  something is broken: the engine doesn't run here
  2  wrong arguments`

export const command: Command<DoctorOptions> = {
  help: HELP,
  parse(args) {
    const { values, positionals } = valuesOf(args, COMMON)
    if (values.help) return 'help'
    if (positionals.length > 0) return refuse('doctor', 'options only', positionals[0])
    return { json: values.json ?? false }
  },
  run: async (options) => (await import('./doctor.js')).doctor(options),
}
