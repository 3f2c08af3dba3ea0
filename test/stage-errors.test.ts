// What a stage throws in its worker arrives as what it was: its class, what it says, and what it was caused by.
import { count, defineStage, pipeline, poisson, Trade, VeloxError } from 'velox-engine'
import { describe, expect, test } from 'vitest'
import throws, { NAMES } from './stages/throws.js'
import { rejected } from './support/errors.js'

async function causeOf(
  which: string,
  o: { late?: number; handled?: number } = {},
): Promise<Error & { code?: unknown }> {
  const run = await pipeline('p')
    .from(poisson({ perSecond: 100_000 }))
    .trades()
    .stage(throws, { name: 'mine', params: { which: NAMES.indexOf(which), ...o } })
    .to(count())
    .start()
  const error = await rejected(run.done())
  expect([error.code, error.context]).toEqual(['VELOX_STAGE_FAILED', { stage: 'mine' }])
  return error.cause as Error
}

test.runIf(process.versions.node.startsWith('20.'))(
  'a stage in TypeScript, by a loader that its worker doesn’t have, says what runs it',
  async () => {
    const typed = defineStage({ url: import.meta.url } as ImportMeta, {
      input: Trade,
      output: Trade,
      open: () => ({ poll: () => undefined }),
    })
    const from = pipeline('typed')
      .from(poisson({ perSecond: 1000, count: 10 }))
      .trades()
    const error = await rejected(from.stage(typed, { name: 'typed' }).to(count()).start())
    expect([error.code, error.context]).toEqual(['VELOX_STAGE_FAILED', { stage: 'typed' }])
    expect(error.message).toMatch(/on Node 22\.18 or newer, .*stage-errors\.test\.ts.*compile it by tsc first/)
  },
)

for (const late of [0, 1])
  describe(late === 0 ? 'thrown by poll' : 'thrown by a timer', () => {
    test('a class of the language, with its causes and its stack', async () => {
      const cause = await causeOf('builtIn', { late })
      expect(cause).toBeInstanceOf(TypeError)
      expect([cause.name, cause.message]).toEqual(['TypeError', 'no number'])
      expect(cause.stack).toMatch(/^TypeError: no number\n.*stages\/throws\.js/s)
      const deeper = cause.cause as Error
      expect(deeper).toBeInstanceOf(SyntaxError)
      expect([deeper.message, deeper.cause]).toEqual(['no text', 'a reason'])
    })

    test('a class of its own: the name and the fields, and the class of the language that it is of', async () => {
      const cause = await causeOf('own', { late })
      expect(cause).toBeInstanceOf(RangeError)
      expect(cause).toMatchObject({ name: 'PriceError', message: 'too high', code: 'PRICE_TOO_HIGH' })
      expect((cause as { context?: unknown }).context).toEqual({ price: 5n, ask: 'a function ask' })
      expect(cause.cause).toMatchObject({ name: 'PriceError', message: 'far too high', code: 'PRICE_TOO_HIGH' })
    })

    test('a VeloxError, with its context and its cause', async () => {
      const cause = await causeOf('velox', { late })
      expect(cause).toBeInstanceOf(VeloxError)
      expect(cause.constructor).toBe(VeloxError)
      expect(cause).toMatchObject({
        name: 'VeloxError',
        code: 'VELOX_INVALID_VALUE',
        context: { field: 'qty', expected: 'a number', got: 'a function got' },
      })
      expect(cause.message).toBe('qty: expected a number, got a function got')
      expect(cause.cause).toBeInstanceOf(URIError)
    })
  })

test("the library's own errors arrive as in the thread that made them", async () => {
  const cause = await causeOf('fromLibrary')
  expect(cause).toBeInstanceOf(VeloxError)
  expect(cause).toMatchObject({ code: 'VELOX_INVALID_VALUE', context: { field: 'meta', expected: 'import.meta' } })
})

test("the system's errors keep what they say", async () => {
  const cause = await causeOf('system')
  expect(cause).toMatchObject({ code: 'ENOENT', syscall: 'open', path: '/no/such/file' })
  expect(cause).not.toBeInstanceOf(VeloxError)
})

test('several errors in one arrive each as what it was', async () => {
  const cause = (await causeOf('several')) as AggregateError
  expect(cause).toBeInstanceOf(AggregateError)
  expect(cause.errors[0]).toBeInstanceOf(RangeError)
  expect(cause.errors[1]).toMatchObject({ code: 'VELOX_RING_CLOSED', context: { ring: 'two' } })
})

test('the reason of a signal keeps its name', async () => {
  expect(await causeOf('aborted')).toMatchObject({ name: 'AbortError', message: 'This operation was aborted' })
})

test('what only looks like an error of ours arrives too', async () => {
  expect(await causeOf('likeOurs')).toMatchObject({ message: 'like one of ours', code: 'VELOX_UNKNOWN_OPTION' })
})

test('an error that is its own cause is cut off', async () => {
  let depth = 0
  for (let error: unknown = await causeOf('endless'); error instanceof Error; error = error.cause) depth++
  expect(depth).toBe(17)
})

test('what is no error arrives as it is, or as text', async () => {
  expect(await causeOf('text')).toBe('a text')
  const bare = await causeOf('bare')
  expect(bare).toEqual({})
})

test("an error that the stage's own handler takes ends nothing", async () => {
  const run = await pipeline('p')
    .from(poisson({ perSecond: 1e6, count: 100_000 }))
    .trades()
    .stage(throws, { params: { late: 1, handled: 1 } })
    .to(count())
    .start()
  const { balanced, stages } = await run.done()
  expect([balanced, stages.at(-1)?.in]).toEqual([true, stages[1]?.out])
})
