import { refuse } from '../errors/check.js'
import { invalid, type Scalar } from './scalars.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** Texts are encoded and decoded here: neither works on shared memory everywhere. */
const scratch = new Uint8Array(65_536)

const copy = (view: DataView, at: number, length: number) => new Uint8Array(view.buffer, view.byteOffset + at, length)

/** Well-formed UTF-8: its length in two bytes, then its bytes. */
export function textCodec(record: string, field: string, maxBytes: number): Scalar {
  const expected = `a text of at most ${maxBytes} bytes of UTF-8`
  return {
    write(view, at, value: string) {
      if (typeof value !== 'string') refuse(field, expected, value)
      if (!value.isWellFormed()) refuse(field, 'a text without half a surrogate pair', value)
      const { read, written } = encoder.encodeInto(value, scratch.subarray(0, maxBytes))
      if (read < value.length) refuse(field, expected, `${Buffer.byteLength(value)} bytes`)
      view.setUint16(at, written, true)
      copy(view, at + 2, written).set(scratch.subarray(0, written))
    },
    read(view, at) {
      const length = view.getUint16(at, true)
      if (length > maxBytes) invalid(record, field, expected, `${length} bytes`)
      const bytes = scratch.subarray(0, length)
      bytes.set(copy(view, at + 2, length))
      try {
        return decoder.decode(bytes)
      } catch {
        return invalid(record, field, 'well-formed UTF-8', `${length} other bytes`)
      }
    },
  }
}
