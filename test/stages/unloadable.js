import { isMainThread } from 'node:worker_threads'
import { defineStage, Trade } from 'velox-engine'

export default defineStage(import.meta, { input: Trade, output: Trade, open: () => ({ poll: () => undefined }) })
if (!isMainThread) throw new RangeError('no loading')
