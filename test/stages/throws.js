import { readFileSync } from 'node:fs'
import { defineStage, Trade, VeloxError } from 'velox-engine'

class PriceError extends RangeError {
  name = 'PriceError'
  code = 'PRICE_TOO_HIGH'
  context = { price: 5n, ask: () => {} }
}

function caught(f) {
  try {
    f()
  } catch (error) {
    return error
  }
}

const endless = new Error('endless')
endless.cause = endless

/** What the stage throws, by name. */
export const ERRORS = {
  builtIn: new TypeError('no number', { cause: new SyntaxError('no text', { cause: 'a reason' }) }),
  own: new PriceError('too high', { cause: new PriceError('far too high') }),
  velox: new VeloxError(
    'VELOX_INVALID_VALUE',
    { field: 'qty', expected: 'a number', got: () => {} },
    { cause: new URIError('of a link') },
  ),
  fromLibrary: caught(() => defineStage({}, {})),
  system: caught(() => readFileSync('/no/such/file')),
  several: new AggregateError([new RangeError('one'), new VeloxError('VELOX_RING_CLOSED', { ring: 'two' })], 'several'),
  aborted: AbortSignal.abort().reason,
  likeOurs: Object.assign(new Error('like one of ours'), { code: 'VELOX_UNKNOWN_OPTION', context: {} }),
  endless,
  bare: Object.create(null),
  text: 'a text',
}
export const NAMES = Object.keys(ERRORS)

const uncaught = (error) =>
  void setTimeout(() => {
    throw error
  })

/** Throws one of them with its first batch; `late`, from a timer. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { which: 0, late: 0, handled: 0 },
  open({ params }) {
    if (params.handled > 0) process.on('uncaughtException', () => {})
    let thrown = false
    return {
      poll(batch) {
        const error = ERRORS[NAMES[params.which]]
        if (params.late === 0) throw error
        if (!thrown) uncaught(error)
        thrown = true
        return Uint32Array.from({ length: batch.length }, (_, i) => i)
      },
    }
  },
})
