// clock.nanos() against process.hrtime.bigint() and performance.now(), interleaved: prints one line of JSON.
import { clock } from 'velox-engine'

const ROUNDS = 41
const CALLS = 1_000_000

const calls = {
  nanos: () => {
    let sum = 0
    for (let i = 0; i < CALLS; i++) sum += clock.nanos()
    return sum
  },
  hrtime: () => {
    let sum = 0n
    for (let i = 0; i < CALLS; i++) sum = process.hrtime.bigint()
    return sum
  },
  performance: () => {
    let sum = 0
    for (let i = 0; i < CALLS; i++) sum += performance.now()
    return sum
  },
}

const rounds = { nanos: [], hrtime: [], performance: [] }
for (let i = -3; i < ROUNDS; i++) {
  for (const [name, call] of Object.entries(calls)) {
    const start = process.hrtime.bigint()
    call()
    // The first rounds warm the compiler up.
    if (i >= 0) rounds[name].push(Number(process.hrtime.bigint() - start) / CALLS)
  }
}
const spread = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (q) => sorted[Math.floor((sorted.length - 1) * q)]
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9) }
}
// Each round's ratio, so that a slow moment of the machine is in both.
const ratio = rounds.hrtime.map((hrtime, i) => hrtime / rounds.nanos[i])
console.log(
  JSON.stringify({
    ...Object.fromEntries(Object.entries(rounds).map(([k, v]) => [k, spread(v)])),
    ratio: spread(ratio),
  }),
)
