// How long the event loop waits for a submitter: 100 bundles of 16 records a second to a local Solana in a process of its own, with a
// journal on the disk. As 16 transactions each to an RPC node; as one Jito bundle of 4 transactions; and nothing at all, which is the
// machine's own. A timer of a millisecond says by how much each of its ticks was late. To tell the machine's stalls apart: how long of it this
// thread waited for a processor, and how much processor time all threads of this process had; the loop was held by us for the lesser of the
// rest and of that at most. And what of it was not the garbage collector's. Prints one line of JSON, ms.
// `node bench/solana-loop.mjs [seconds] [case]`
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { spawnCluster } from '../build/solana/index.js'
import { createSubmitter, keypairFile, memoTemplate } from '../dist/solana/index.js'

const SECONDS = Number(process.argv[2] ?? 10)
const WARM_UP_SECONDS = 4
const EVERY_MILLIS = 10
const RECORDS = 16
const MOST_MILLIS = 2

const folder = mkdtempSync(join(tmpdir(), 'velox-loop-'))
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(16)
const pair = Buffer.concat([secret, publicKey.export({ format: 'der', type: 'spki' }).subarray(12)])
const file = join(folder, 'id.json')
writeFileSync(file, JSON.stringify([...pair]))
chmodSync(file, 0o600)
const signer = keypairFile(file)

/** How long this thread has been ready and had to wait for a processor, ms; Linux alone tells. */
const waited = (() => {
  try {
    const fd = openSync(`/proc/self/task/${process.pid}/schedstat`)
    const text = Buffer.alloc(64)
    return () => Number(text.toString('latin1', 0, readSync(fd, text, 0, 64, 0)).split(' ')[1]) / 1e6
  } catch {
    return () => 0
  }
})()

/** How late each tick of a timer was; how much of that this process had a processor; and that without the garbage collector's pauses, ms. */
function ticks() {
  const seen = []
  const pauses = []
  const observer = new PerformanceObserver((list) => pauses.push(...list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  const used = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000
  }
  let last = { at: performance.now(), cpu: used(), waited: waited() }
  const timer = setInterval(() => {
    const now = { at: performance.now(), cpu: used(), waited: waited() }
    const late = Math.max(0, now.at - last.at - 1)
    const own = Math.max(0, Math.min(late - (now.waited - last.waited), now.cpu - last.cpu))
    seen.push({ from: last.at, to: now.at, late, own })
    last = now
  }, 1)
  return async () => {
    clearInterval(timer)
    // Pauses are told some time after.
    await delay(200)
    observer.disconnect()
    const paused = ({ from, to }) =>
      pauses.reduce((sum, { startTime: at, duration }) => {
        return sum + Math.max(0, Math.min(to, at + duration) - Math.max(from, at))
      }, 0)
    const told = (values) => {
      const sorted = values.toSorted((a, b) => a - b)
      const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
      return { p50: at(0.5), p99: at(0.99), max: at(1), over: values.filter((value) => value > MOST_MILLIS).length }
    }
    return {
      ticks: seen.length,
      late: told(seen.map(({ late }) => late)),
      own: told(seen.map(({ own }) => own)),
      withoutGc: told(seen.map((tick) => Math.max(0, tick.own - (tick.own > MOST_MILLIS ? paused(tick) : 0)))),
    }
  }
}

async function idle() {
  const end = ticks()
  await delay(SECONDS * 1_000)
  return await end()
}

async function sending(name, packing, isJito) {
  const flags = ['--slot-millis', '400', '--fund', `${signer.address}=1000000000000000`]
  const cluster = await spawnCluster(...flags, '--jito-per-second', '100000')
  const [node] = cluster.nodes
  const submitter = await createSubmitter({
    rpc: { url: node.url, perSecond: 100_000 },
    ...(isJito && { jito: { url: cluster.regions[0].url, perSecond: 100_000 } }),
    template: memoTemplate({ signer, packing, tip: isJito }),
    limits: { maxLamports: 10n ** 15n, maxInFlight: 100_000 },
    journal: join(folder, `${name}.journal`),
  })
  let id = 0
  const rows = () =>
    Array.from({ length: RECORDS }, () => {
      id++
      return {
        id,
        price: 618_003 + (id % 97),
        size: 1 + (id % 50),
        side: 'bid',
        instrument: 0,
        ingressTsNs: BigInt(id),
      }
    })
  const counts = {}
  const send = async () => {
    for (const { state } of await submitter.submit(rows())) counts[state] = (counts[state] ?? 0) + 1
  }
  let bundles = 0
  const timer = setInterval(() => {
    bundles++
    send()
  }, EVERY_MILLIS)
  await delay(WARM_UP_SECONDS * 1_000)
  const before = bundles
  const end = ticks()
  await delay(SECONDS * 1_000)
  const bundlesPerSecond = (bundles - before) / SECONDS
  const told = await end()
  clearInterval(timer)
  await submitter.close()
  const { inFlight, refused } = submitter.stats()
  await cluster.close()
  return { bundlesPerSecond, ...told, ...counts, inFlight, refused }
}

const cases = {
  idle,
  rpc: () => sending('rpc', 1, false),
  jito: () => sending('jito', 4, true),
}
const results = {}
for (const [name, measure] of Object.entries(cases))
  if ((process.argv[3] ?? name) === name) results[name] = await measure()
rmSync(folder, { recursive: true })
console.log(JSON.stringify({ bench: 'solana-loop', seconds: SECONDS, ...results }))
