// One end in a worker: warmed up by a first run, then timed by the one that receives.
import { parentPort, workerData } from 'node:worker_threads'
import { ways } from './ends.mjs'

const { way, side, memory, port, counts } = workerData
const { attach, push, pop } = ways[way]
const ring = attach?.(memory)

for (const count of counts) {
  await new Promise((resolve) => parentPort.once('message', resolve))
  const begin = performance.now()
  const sum = await (side === 'push' ? push : pop)(ring, count, port)
  port.removeAllListeners('message')
  parentPort.postMessage({ millis: performance.now() - begin, sum })
}
port.close()
