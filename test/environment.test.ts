import { expect, test } from 'vitest'
import { node, root } from './support/node.js'
import { asKeyFile, pairBytes } from './support/solana-key.js'

const dist = (file: string) => JSON.stringify(new URL(`../dist/${file}`, import.meta.url).href)

test('native code that looks at the environment stands beside a script that writes it', async () => {
  const code = `
    import { Worker } from 'node:worker_threads'
    const inWorker = \`
      const { parentPort } = await import('node:worker_threads')
      const { keypairFromEnvironment } = await import(${dist('solana/signer.js')})
      const { native } = await import(${dist('native.js')})
      for (let i = 0; i < 4_000; i++) {
        keypairFromEnvironment('VELOX_TEST_KEY')
        native.metricsList()
      }
      parentPort.postMessage('done')\`
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(inWorker)))
    let ended
    worker.on('error', (error) => { throw error })
    worker.on('message', (message) => { ended = message })
    let written = 0
    const write = () => {
      if (ended) return console.log(ended, written > 0)
      // New names: libc's table grows, and moves.
      for (let i = 0; i < 2_000; i++) process.env['VELOX_TEST_' + (written++ % 20_000)] = 'x'.repeat(i % 300)
      setImmediate(write)
    }
    write()`
  const env = { VELOX_TEST_KEY: asKeyFile(pairBytes()) }
  const ended = await node(['--input-type=module', '--eval', code], { cwd: root, env })
  expect(ended).toMatchObject({ status: 0, signal: null, stdout: 'done true\n' })
})

test('a key is read from the environment as it is now, and of the thread that asks', async () => {
  const pair = pairBytes()
  const code = `
    import { keypairFromEnvironment } from ${dist('solana/signer.js')}
    import { Worker } from 'node:worker_threads'
    process.env.VELOX_TEST_KEY = ${JSON.stringify(asKeyFile(pair))}
    console.log(keypairFromEnvironment('VELOX_TEST_KEY').address.length > 30)
    const inWorker = \`
      const { keypairFromEnvironment } = await import(${dist('solana/signer.js')})
      try { keypairFromEnvironment('VELOX_TEST_KEY') } catch (error) { console.log(error.code) }\`
    new Worker(new URL('data:text/javascript,' + encodeURIComponent(inWorker)), { env: {} })`
  const ended = await node(['--input-type=module', '--eval', code], { cwd: root })
  expect(ended.stdout).toBe('true\nVELOX_KEY_REFUSED\n')
})
