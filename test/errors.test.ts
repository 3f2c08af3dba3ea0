import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { VeloxError } from 'velox-engine'
import { expect, test } from 'vitest'
import { MESSAGES } from '../dist/errors/codes.js'
import { node, root } from './support/node.js'

test('an error has a code, a context, a cause and one sentence', () => {
  const cause = new Error('deep')
  const error = new VeloxError('VELOX_STAGE_FAILED', { stage: 'book' }, { cause })
  expect(error).toBeInstanceOf(Error)
  expect([error.name, error.code, error.context, error.cause]).toEqual([
    'VeloxError',
    'VELOX_STAGE_FAILED',
    { stage: 'book' },
    cause,
  ])
  expect(error.message).toBe('the stage book failed: deep')
  expect([error.stack?.split('\n')[0], inspect(error).split('\n')[0]]).toEqual(Array(2).fill(String(error)))
})

test('every code has a sentence that names what its context says', () => {
  const context = new Proxy({} as Record<string, unknown>, {
    get: (_, key) => (key === 'known' || key === 'tried' ? ['one', 'two'] : `<${String(key)}>`),
  })
  for (const [code, message] of Object.entries(MESSAGES)) {
    const text = (message as (c: unknown) => string)(context)
    expect(text, code).toMatch(/<\w+>/)
    expect(text, code).not.toContain('undefined')
  }
})

test('an error is known by its code, from another copy of the package too', () => {
  expect(Object.assign(new Error('x'), { code: 'VELOX_RING_CLOSED', context: {} })).toBeInstanceOf(VeloxError)
  for (const other of [
    new Error('x'),
    { code: 'ENOENT' },
    { code: 'toString', context: {} },
    null,
    'VELOX_RING_CLOSED',
  ]) {
    expect(other).not.toBeInstanceOf(VeloxError)
  }
})

test('an error that a worker dies of is still one', async () => {
  const code = `import('velox-engine').then(({ RingBuffer, u32 }) => new RingBuffer(u32, 3))`
  const error = await new Promise((resolve) => new Worker(code, { eval: true }).on('error', resolve))
  expect(error).toBeInstanceOf(VeloxError)
  expect(error).toMatchObject({ code: 'VELOX_INVALID_CAPACITY', context: { capacity: 3 } })
})

test('a missing addon is told with what was tried', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'velox-bare-'))
  try {
    cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
    cpSync(join(root, 'package.json'), join(folder, 'package.json'))
    const ended = await node(['--input-type=module', '--eval', `import 'velox-engine'`], { cwd: folder })
    expect(ended.status).toBe(1)
    expect(ended.stderr).toContain(`expected the native addon of velox-engine for ${process.platform}-${process.arch}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
