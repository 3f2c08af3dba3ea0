// Runs every benchmark, writes bench/results.json, and makes bench/RESULTS.md and its plots of it. `npm run build` first; nothing else should run meanwhile.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import { plotsOf } from './plots.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

function lines(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`)
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
}

const bench = (crate, name) => lines('cargo', ['bench', '--quiet', '-p', crate, '--bench', name])
const sorted = (values) => values.toSorted((a, b) => a - b)
const median = (values) => sorted(values)[Math.floor(values.length / 2)]
const range = (values) => [Math.min(...values), Math.max(...values)]
const time = (nanos) =>
  nanos < 1_000
    ? `${Math.round(nanos)} ns`
    : nanos < 1e6
      ? `${(nanos / 1_000).toFixed(2)} µs`
      : `${(nanos / 1e6).toFixed(2)} ms`
const percent = (share, digits = 2) => `${(100 * share).toFixed(digits)} %`
const timed = (values) => `${time(median(values))} (${range(values).map(time).join(' – ')})`

function row(label, runs, of, target = '') {
  return `| ${label} | ${[0, 1, 2].map((p) => timed(runs.map((r) => of(r)[p]))).join(' | ')} | ${target} |`
}

function poisson(runs) {
  const table = (wait) => {
    const of = runs.filter((r) => r.wait === wait)
    const spins = wait === 'spin'
    return `**\`wait: '${wait}'\`**${spins ? '' : ', the default'}: ${percent(median(of.map((r) => r.rate)), 3)} of the asked rate (${range(
      of.map((r) => r.rate),
    )
      .map((r) => percent(r, 3))
      .join(
        ' – ',
      )}), ${Math.max(...of.map((r) => r.dropped))} dropped, ${of.every((r) => r.balanced) ? 'balanced' : 'NOT BALANCED'}.
${
  spins
    ? `The machine took the core for more than 10 µs at a time during ${percent(median(of.map((r) => r.stallShare)))} of the time (${range(
        of.map((r) => r.stallShare),
      )
        .map((s) => percent(s))
        .join(
          ' – ',
        )}), longest ${time(Math.max(...of.map((r) => r.stallMax)))}; ${percent(median(of.map((r) => r.cleanShare)))} of the records met no such gap.`
    : ''
}

| | p50 | p90 | p99 | target |
|---|---|---|---|---|
${row('scheduled arrival → bundle stage', of, (r) => r.all.toBundle, spins ? 'p50 ≤ 1 µs, p90 ≤ 3 µs' : '')}
${row('closed bundle → output', of, (r) => r.all.toOutput, spins ? 'p50 ≤ 1 µs, p90 ≤ 3 µs' : '')}${
  spins
    ? `
${row('arrival → bundle stage, without gaps', of, (r) => r.clean.toBundle, 'p99 ≤ 10 µs')}
${row('closed bundle → output, without gaps', of, (r) => r.clean.toOutput, 'p99 ≤ 10 µs')}`
    : ''
}`
  }
  return `## 100,000 synthetic arrivals a second for 10 s, through all four stages

\`crates/velox-engine/benches/poisson.rs\`; 5 runs of each, interleaved; median, and least – most of the runs. The wait for a
full bundle (16 transactions or 100 µs) is not in these figures: it is the bundle's choice.

${table('spin')}

${table('backoff')}

For comparison, as quoted and not run here: the founding document's own four-stage program on four spinning threads keeps
73,000 – 89,000 a second of these 100,000 on a machine of this kind, at a p50 of 350 – 750 µs end to end.`
}

function clock(rust, js) {
  const of = (s) => `${s.p50.toFixed(1)} (${s.p10.toFixed(1)} – ${s.p90.toFixed(1)})`
  return `## The clock

From JavaScript (\`bench/clock.mjs\`), ns a call, median (p10 – p90) of 41 interleaved rounds of a million calls:

| | ns |
|---|---|
| \`clock.nanos()\` | ${of(js.nanos)} |
| \`process.hrtime.bigint()\` | ${of(js.hrtime)} |
| \`performance.now()\` | ${of(js.performance)} |
| \`hrtime.bigint\` ÷ \`clock.nanos\` | **${js.ratio.p50.toFixed(2)}×** (${js.ratio.p10.toFixed(2)} – ${js.ratio.p90.toFixed(2)}); target: ≥ 1.5 |

From Rust (\`crates/velox-clock/benches/read.rs\`), ns a call, medians of 31 interleaved rounds of a million calls:

| | ns |
|---|---|
| \`rdtsc()\` | ${rust.read.toFixed(2)} |
| \`now()\`: read and convert | ${rust.converted.toFixed(2)}: ${Math.max(0, rust.converted - rust.read).toFixed(2)} over the bare read; target: ≤ 1 |
| \`std::time::Instant::now()\` | ${rust.system.toFixed(2)}: ${(rust.system / rust.converted).toFixed(2)}× |`
}

function filters(stage, expr) {
  const times = (s) => `${s.p50.toFixed(1)}× (${s.p10.toFixed(1)} – ${s.p90.toFixed(1)})`
  const timeOf = (s) => `${time(s.p50)} (${time(s.p10)} – ${time(s.p90)})`
  const of = (s) => `${s.p50.toFixed(1)} (${s.p10.toFixed(1)} – ${s.p90.toFixed(1)})`
  const terms = (label, t) =>
    `| ${label} | ${t.planNanos.toFixed(2)} | ${t.flatNanos.toFixed(2)} | ${t.planByFlat.toFixed(2)}× | ${t.handNanos.toFixed(2)} | ${t.planByHand.toFixed(2)}× |`
  return `## Filters

A filter of trades by quantity, half of which pass (\`bench/stage.mjs\`): ns a record, median (least – most) of ${stage.rounds}
interleaved rounds of ${stage.records / 1e6} million; the first two beyond what the same native pipeline takes without the
filter (${stage.native.p50.toFixed(1)} ns, of which most is the making of the trades):

| | ns a record | ÷ fused | target |
|---|---|---|---|
| a native expression | ${of(stage.expression)} | | |
| a stage in TypeScript, fused | ${of(stage.fused)}: ${(1000 / stage.fused.p50).toFixed(0)} M/s | 1 | ≥ 50 M/s |
| the same, beyond it for a record that comes alone | ${of(stage.alone)} | | ≤ 100 ns |
| plain JavaScript, an object a record, \`filter\` and \`map\` | ${of(stage.plain)} | ${times(stage.plainByFused)} | ≥ 4 |
| the same stage in a worker between two rings | ${of(stage.rings)} | ${times(stage.ringsByFused)} | ≥ 8 |

From scheduled arrival to output through poisson → trades → the stage → the end on one spinning thread; "without stalls" is
to the stage, less the share of arrivals that met the machine's stalls, after its first second:

| arrivals a second | p50 | p90 | p99 | p99 without stalls | stalls, share of the time |
|---|---|---|---|---|---|
${Object.entries(stage.latency)
  .map(
    ([rate, l]) =>
      `| ${Number(rate).toLocaleString('en')} | ${timeOf(l.p50)} | ${timeOf(l.p90)} | ${timeOf(l.p99)} | ${timeOf(l.clean99)} | ${percent(l.stallShare.p50)} |`,
  )
  .join('\n')}
| target | ≤ 1 µs | ≤ 3 µs | | ≤ 10 µs | |

Expressions in Rust (\`crates/velox-expr/benches/filter.rs\`): ns a record beside two hand-written loops, 65,536 rows:

| | plan | loop without branches | plan ÷ it | loop with \`if\` | plan ÷ it |
|---|---|---|---|---|---|
${terms('3 terms, 13 % pass', expr.terms3)}
${terms('3 terms, 0.2 % pass', expr.terms3Few)}
${terms('7 terms, 9 % pass', expr.terms7)}`
}

function metricsCost({ four, batches, single }, [counted], paired) {
  const row = (label, m, target) =>
    `| ${label} | ${m.without.toFixed(2)} | ${m.with.toFixed(2)} | ${m.ratio[1].toFixed(3)} (${m.ratio[0].toFixed(3)} – ${m.ratio[2].toFixed(3)}) | ${target} |`
  const signed = (share) => `${share < 0 ? '−' : '+'}${percent(Math.abs(share), 3)}`
  const instructions = counted
    ? `its instructions with a reader that looked ${counted.reads} times: ${signed(counted.attached / counted.alone - 1)}
of ${counted.alone.toLocaleString('en')} (target: within 0.1 %); with metrics against without: ${signed(counted.alone / counted.without - 1)}.`
    : 'its instructions were not counted, as valgrind is not on this machine.'
  const m = (rate) => (rate / 1e6).toFixed(1)
  return `What a run's metrics take (\`crates/velox-engine/benches/metrics.rs\`), ns a record, medians of 11 pairs; ratio: median (least – most):

| | without | with | ratio | target |
|---|---|---|---|---|
${row('the four stages', four, '≤ 1.03')}
${row('stages that only pass on, in whole batches', batches, '≤ 1.03')}
${row('the same, one by one', single, '≤ 30 ns more')}

What a reader takes. Of the engine's thread over ${counted ? `${counted.arrivals.toLocaleString('en')} arrivals` : 'the four stages'}, by callgrind
(\`cargo test -p velox_engine --test attached -- --nocapture\`), ${instructions} Of its throughput, with a real \`velox top\` that looks ten times a second and without, ${paired.pairs} pairs
(\`node bench/attached.mjs\`): ${m(paired.attached)} and ${m(paired.alone)} M records/s, the ratio ${paired.ratio.toFixed(4)}, its 95 % interval ${paired.interval.map((r) => r.toFixed(4)).join(' – ')} (target: contains 1).`
}

function scrapes({ free, blocked }) {
  const row = (label, s) => `| ${label} | ${s.p50.toFixed(2)} | ${s.p99.toFixed(2)} |`
  return `## Metrics

A scrape of ${free.series.toLocaleString('en')} series (${Math.round(free.bytes / 1024)} kB) of a run that goes, over HTTP on loopback (\`bench/scrape.mjs\`), ms;
target: ≤ 5:

| | p50 | p99 |
|---|---|---|
${row('while the event loop is free', free)}
${row('while it is blocked', blocked)}`
}

function pipelines({ chainNanos, fourStagesFused, fourStagesTwoThreads, delivered }, [map], starts) {
  const of = ([least, median, most], digits = 1) =>
    `${median.toFixed(digits)} (${least.toFixed(digits)} – ${most.toFixed(digits)})`
  const made = (label, { mapNanos, handNanos, mapByHand }) =>
    `${label} ${mapNanos.toFixed(2)}, by hand ${handNanos.toFixed(2)} (${mapByHand.toFixed(2)}×)`
  return `## Pipelines as fast as they go

\`crates/velox-engine/benches/throughput.rs\`; 7 interleaved runs, median (least – most). The four stages run over 4 million
synthetic arrivals of two records each; inside the program the bundles' hash is held to that of one thread, and the book to
a naive model.

| | | target |
|---|---|---|
| source → filter → map → count, fused on one thread | ${of(chainNanos)} ns a record: ${(1000 / chainNanos[1]).toFixed(0)} M/s | ≥ 100 M/s |
| the four stages, fused on one thread | ${of(fourStagesFused)} M records/s | |
| 1 M arrivals a second asked of the four stages, delivered | ${percent(delivered[1], 3)} (${percent(delivered[0], 3)} – ${percent(delivered[2], 3)}) | ≥ 99.9 % |
| the four stages, the source on a thread of its own | ${of(fourStagesTwoThreads)} M records/s | ≥ 20 M/s |

Starting and stopping from TypeScript (\`bench/start.mjs\`), ms, median (least – most) of 21:

| | ms | target |
|---|---|---|
| \`start()\` of native stages | ${of(starts.native, 2)} | ≤ 50 |
| \`start()\` with a stage in TypeScript | ${of(starts.script, 1)} | ≤ 250 |
| \`stop()\` of native stages at 100,000 a second | ${of(starts.stopNative, 2)} | ≤ 100 |
| \`stop()\` with a stage in TypeScript | ${of(starts.stopScript, 1)} | ≤ 100 |

A map of 5 fields (\`crates/velox-expr/benches/map.rs\`), ns a record: ${made('copied', map.copies)}; ${made('copied and computed', map.mixed)}.`
}

function solana({ micros, byKitOneByOne, byKitAtOnce, byByteTemplate, readyMicros, readyOneMicros, loop, bytes }) {
  const times = (s) => `${s.p50.toFixed(1)}× (${s.p10.toFixed(1)} – ${s.p90.toFixed(1)})`
  const of = (s) => `${s.p50.toFixed(1)} (${s.p10.toFixed(1)} – ${s.p90.toFixed(1)})`
  const delay = (s) => `${s.p50.toFixed(2)} / ${s.p99.toFixed(2)} / ${s.max.toFixed(2)}`
  return `## Solana transactions

Bundles of 16 records as 16 signed transactions each of ${bytes} bytes, ready to be sent (\`bench/solana.mjs\`); all ways make the same bytes,
which is checked first. Four bundles on their way at once but where it says one by one. µs a transaction, median (p10 – p90) of interleaved rounds:

| | µs a transaction | ÷ the template | target |
|---|---|---|---|
| a native template | ${of(micros.ours)} | 1 | |
| \`@solana/kit\`, warm, one by one | ${of(micros.kitOneByOne)} | ${times(byKitOneByOne)} | ≥ 20 |
| \`@solana/kit\`, warm, 16 at once | ${of(micros.kitAtOnce)} | ${times(byKitAtOnce)} | ≥ 20 |
| a byte template in JavaScript, \`node:crypto\` | ${of(micros.byteTemplate)} | ${times(byByteTemplate)} | ≥ 1.4 |

The 16 transactions of a bundle that comes alone are ready after ${time(1_000 * readyMicros.p50)} (p90 ${time(1_000 * readyMicros.p90)}, p99 ${time(1_000 * readyMicros.p99)}), one alone after ${time(1_000 * readyOneMicros.p50)}; target: ≤ 1 ms.
Delay of the event loop, p50 / p99 / most, ms: ${delay(loop.building)} while bundles are built, ${delay(loop.idle)} while nothing is; target: ≤ 2 from us.`
}

/** The event loop of a process with a submitter in it. */
function submitting({ at, seconds, idle, rpc, jito }) {
  const row = (label, { ticks, late, own, withoutGc, bundlesPerSecond = 0 }) => {
    const isMet = own.max <= 2 ? 'met' : 'not met'
    const of = ({ over, p99, max }) => `${over} (${p99.toFixed(2)}, ${max.toFixed(1)})`
    return `| ${label} | ${bundlesPerSecond.toFixed(0)} | ${ticks} | ${of(late)} | ${of(own)} | ${of(withoutGc)} | ${isMet} |`
  }
  return `A submitter on the event loop, 100 bundles of 16 records a second to a local Solana in a process of its own, the journal on the disk
(\`bench/solana-loop.mjs\`, ${seconds} s each): ticks of a timer of a millisecond that were more than 2 ms late (p99, most, ms). By us at most:
without what the thread waited for a processor, and no more than all threads of the process had of one. Target: none by us.${
    at
      ? `
Measured apart from the rest: ${at}.`
      : ''
  }

| | bundles/s | ticks | late | by us at most | without the garbage collector's pauses | ≤ 2 ms |
|---|---|---|---|---|---|---|
${row('nothing', idle)}
${row('16 transactions each, to an RPC node', rpc)}
${row('packed by 4, each one Jito bundle', jito)}`
}

/** The parts beside what the machine allows, as `velox bench` tells them. */
function limits({ line, memory, clock, ring, ringRoundTrip, book, orderBook, expression }) {
  const ns = (n) => `${n.toFixed(1)} ns`
  const giga = (n) => `${(n / 1e9).toFixed(1)} GB/s`
  const bytes = (1e9 * ring.recordBytes) / ring.nanosPerRecord
  const of = (label, engine, limit, ratio, which) =>
    `| ${label} | ${engine} | ${limit} | ${ratio.toFixed(2)} | ${which} |`
  return `## The parts beside the machine's limits

\`velox bench\`, medians:

| | engine | limit | ratio | which limit |
|---|---|---|---|---|
${of('ring, to a thread and back', ns(ringRoundTrip.roundTripNanos), ns(line.roundTripNanos), ringRoundTrip.roundTripNanos / line.roundTripNanos, 'a cache line and back')}
${of('ring, 32-byte records', giga(bytes), giga(memory.copyBytesPerSecond), bytes / memory.copyBytesPerSecond, 'memory, copied')}
${of('clock.now()', ns(clock.nowNanos), ns(clock.counterNanos), clock.nowNanos / clock.counterNanos, 'a bare counter read')}
${of('filter of three terms', ns(expression.planNanos), ns(expression.handNanos), expression.planNanos / expression.handNanos, 'a loop by hand')}

An event of one level takes ${ns(book.updateNanos)} in an \`L2Book\`, an update ${ns(orderBook.updateNanos)} in an \`OrderBook\`.`
}

/** How much of the machine was there: the same program took twice as long in one hour as in another. */
function hour({ runs, rust, here: { memory } }) {
  const spinning = runs.filter((r) => r.wait === 'spin').map((r) => r.stallShare)
  return `The machine then: a bare counter read took ${rust.read.toFixed(1)} ns, memory was copied at ${(memory.copyBytesPerSecond / 1e9).toFixed(1)} GB/s,
and a core was taken away during ${percent(median(spinning))} of the time. An AMD EPYC, an older commit, a calm hour: [2026-11-25](RESULTS-2026-11-25.md).`
}

const FILE = new URL('results.json', import.meta.url)

/** Everything, and what it was measured on. */
function measure() {
  const [js] = lines('node', ['bench/clock.mjs'])
  const [stage] = lines('node', ['bench/stage.mjs'])
  const [expr] = bench('velox-expr', 'filter')
  const [rust] = bench('velox-clock', 'read')
  const [throughput] = bench('velox_engine', 'throughput')
  const [starts] = lines('node', ['bench/start.mjs'])
  const [scraped] = lines('node', ['bench/scrape.mjs'])
  const [signed] = lines('node', ['bench/solana.mjs'])
  const [submitted] = lines('node', ['bench/solana-loop.mjs'])
  const maps = bench('velox-expr', 'map')
  const [metrics] = bench('velox_engine', 'metrics')
  const counted = lines('cargo', ['test', '--quiet', '-p', 'velox_engine', '--test', 'attached', '--', '--nocapture'])
  const [paired] = lines('node', ['bench/attached.mjs'])
  const runs = bench('velox_engine', 'poisson')
  const [here] = lines('node', ['dist/cli/index.js', 'bench', '--seconds', '30', '--json'])
  return {
    date: new Date().toISOString().slice(0, 10),
    // What is not committed may differ from it.
    commit: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim(),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, ${platform()} ${arch()}, Node ${process.versions.node}`,
    figures: {
      js,
      stage,
      expr,
      rust,
      throughput,
      starts,
      scraped,
      signed,
      submitted,
      maps,
      metrics,
      counted,
      paired,
      runs,
      here: here.figures,
    },
  }
}

// The page alone, of what was measured last: `node bench/run.mjs --page`.
const results = process.argv[2] === '--page' ? JSON.parse(readFileSync(FILE, 'utf8')) : measure()
writeFileSync(FILE, `${JSON.stringify(results, null, 1)}\n`)
const { date, commit, machine, figures } = results
mkdirSync(new URL('plots/', import.meta.url), { recursive: true })
const plots = plotsOf(figures)
for (const [name, svg] of Object.entries(plots)) writeFileSync(new URL(`plots/${name}`, import.meta.url), svg)

writeFileSync(
  new URL('RESULTS.md', import.meta.url),
  `# Results

Made by \`npm run build && npm run bench\` on ${date} at commit ${commit}: ${machine}; the figures as data are in
[results.json](results.json). A virtual machine whose cores are shared with others: figures move from run to run, ratios less.
${hour(figures)}

${Object.keys(plots)
  .map((name) => `![${name.replace('.svg', '')}](plots/${name})`)
  .join('\n\n')}

${limits(figures.here)}

${poisson(figures.runs)}

${clock(figures.rust, figures.js)}

${filters(figures.stage, figures.expr)}

${pipelines(figures.throughput, figures.maps, figures.starts)}

${scrapes(figures.scraped)}

${metricsCost(figures.metrics, figures.counted, figures.paired)}

${solana(figures.signed)}

${submitting(figures.submitted)}

## Books and live markets beside others

Packages of their own, with their figures: the books beside other crates' in \`bench/compare/books-rust\`, beside JavaScript's in
\`bench/compare/books-js\`; the JSON parsers in \`bench/json\`. From a server's send stamp to the book, over loopback:
\`cargo bench -p velox_engine --bench live\`, and to the book that JavaScript sees \`node bench/live.mjs\`; figures in
docs/decisions.md.
`,
)
console.log('bench/RESULTS.md written')
