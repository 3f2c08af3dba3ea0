// Ingress → OrderBook → Bundle → Output on recorded market data, or on synthetic arrivals: the main job.
import { existsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { count, L2Book, pipeline, poisson, type Report, replay, sample, VeloxError } from 'velox-engine'
import { history, writeReport } from 'velox-engine/metrics'

const options = {
  data: { type: 'string' },
  pace: { type: 'string' },
  source: { type: 'string', default: 'replay' },
  rate: { type: 'string' },
  seconds: { type: 'string', default: '10' },
  wait: { type: 'string', default: 'backoff' },
  json: { type: 'boolean', default: false },
  report: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

const help = `npm start -- [options]
  --data FILE           a recorded file (default: the BTCUSDT sample that comes with the package)
  --pace PACE           recorded (default), max, or messages per second
  --source SOURCE       replay (default) or poisson: synthetic arrivals
  --rate N              arrivals per second of poisson (default 100000)
  --seconds N           ends the source after so long (default 10)
  --wait WAIT           spin, yield, backoff (default) or block
  --json                the report as JSON
  --report FILE         all that is known of the run: a page for '.html', data for '.json'`

function fail(field: string, expected: string, got: unknown): never {
  throw new VeloxError('VELOX_INVALID_VALUE', { field, expected, got })
}

function positive(field: string, text: string, most = Number.MAX_VALUE): number {
  const value = Number(text)
  const range = most === Number.MAX_VALUE ? 'a positive number' : `a number above 0, at most ${most}`
  return value > 0 && value <= most ? value : fail(field, range, text)
}

function read() {
  // Not strict: an unknown option is told with the nearest known one.
  const { values, positionals } = parseArgs({ options, strict: false, allowPositionals: true })
  const known = Object.keys(options).map((name) => `--${name}`)
  for (const name of Object.keys(values)) {
    if (!(name in options)) throw new VeloxError('VELOX_UNKNOWN_OPTION', { option: `--${name}`, known })
    const { type } = options[name as keyof typeof options]
    if (typeof values[name] !== type) fail(`--${name}`, type === 'string' ? 'a value' : 'no value', values[name])
  }
  if (positionals.length > 0) throw new VeloxError('VELOX_UNKNOWN_OPTION', { option: String(positionals[0]), known })
  return values as {
    source: string
    seconds: string
    wait: string
    json: boolean
    help: boolean
    data?: string
    pace?: string
    rate?: string
    report?: string
  }
}

/** A report that can't be written is told before the run, and what is there is left until there is a report. */
async function checkWritable(path: string): Promise<void> {
  if (!/\.(html|json)$/.test(path)) fail('--report', 'a file that ends in .html or .json', path)
  const isNew = !existsSync(path)
  try {
    await (await open(path, 'a')).close()
    if (isNew) await rm(path)
  } catch (error) {
    throw new VeloxError('VELOX_FILE_UNWRITABLE', { path, reason: (error as Error).message }, { cause: error })
  }
}

/** Whether the accounts add up, no data is missing, and the book agrees with every quote; with at least one, if there are. */
function isRight({ balanced, gaps, verified, nonDeterministic }: Report): boolean {
  const isWhole = nonDeterministic.length === 0
  const agrees = !verified || (verified.checked === verified.agreed && (verified.checked > 0 || !isWhole))
  return balanced && gaps === 0 && agrees
}

async function main(): Promise<number> {
  const values = read()
  if (values.help) {
    console.log(help)
    return 0
  }
  const { source, wait, data, rate, report: file } = values
  if (file !== undefined) await checkWritable(file)
  if (source !== 'replay' && source !== 'poisson') fail('--source', 'replay or poisson', source)
  if (source === 'replay' && rate !== undefined) fail('--rate', 'it with --source poisson only', rate)
  if (source === 'poisson' && data !== undefined) fail('--data', 'it with --source replay only', data)
  const paced = values.pace ?? 'recorded'
  if (source === 'poisson' && paced !== 'recorded' && paced !== 'max')
    fail('--pace', 'max or --rate for poisson', paced)
  const waits = ['spin', 'yield', 'backoff', 'block'] as const
  const waiting = waits.find((w) => w === wait) ?? fail('--wait', waits.join(', '), wait)
  const pace = paced === 'recorded' || paced === 'max' ? paced : { perSecond: positive('--pace', paced) }
  const market =
    source === 'replay'
      ? replay(data ?? sample.btcusdt, { pace })
      : poisson({ perSecond: positive('--rate', rate ?? '100000'), ...(pace === 'max' && { pace }) })

  const book = new L2Book({ instrument: market.instrument() })
  const interrupt = new AbortController()
  process.once('SIGINT', () => interrupt.abort())
  const timeIsUp = AbortSignal.timeout(Math.ceil(1000 * positive('--seconds', values.seconds, 4e6)))

  const run = await pipeline('four-stage')
    .from(market)
    .book(book, { verify: 'quotes' })
    .trades()
    .transactions()
    .bundle({ max: 16, timeoutMicros: 100 })
    .to(count('output'))
    .start({ wait: waiting, stopOn: AbortSignal.any([interrupt.signal, timeIsUp]) })

  const recorded = file === undefined ? undefined : history(run)
  // On a terminal one line that changes; elsewhere a line now and then.
  const { isTTY } = process.stderr
  for await (const stats of run.stats({ everyMillis: isTTY ? 250 : 2000 })) {
    process.stderr.write(isTTY ? `\r${stats}` : `${stats}\n`)
  }
  if (isTTY) process.stderr.write('\n')
  try {
    const report = await run.done()
    // A report that can't be written must not look like a good run.
    process.stdout.on('error', () => process.exit(1))
    process.stdout.write(`${values.json ? JSON.stringify(report) : report}\n`)
    return isRight(report) ? 0 : 1
  } finally {
    // Of a run that fails too: then it is asked for most.
    if (file !== undefined && recorded) await writeReport(file, await recorded.settled())
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof VeloxError)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
}
