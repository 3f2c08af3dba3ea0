import { defineStage, Trade } from 'velox-engine'

export default defineStage(import.meta, { input: Trade, output: Trade, open: () => ({ poll: () => undefined }) })
const { isMainThread } = await import('node:worker_threads')
if (!isMainThread) await new Promise(() => setInterval(() => {}, 1000))
