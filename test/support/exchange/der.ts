/** The few forms of DER (ITU-T X.690) that a certificate is made of. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

export const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts)

export const set = (...parts: readonly Buffer[]): Buffer => tagged(0x31, ...parts)

/** A positive integer whose first bit is 0. */
export const integer = (bytes: Buffer): Buffer => tagged(2, bytes)

export const octets = (bytes: Buffer): Buffer => tagged(4, bytes)

/** Whole bytes: no bit of the last one is unused. */
export const bits = (bytes: Buffer): Buffer => tagged(3, Buffer.from([0]), bytes)

export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text))

/** UTCTime, to the second. */
export const time = (at: Date): Buffer =>
  tagged(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`))

/** A context's own tag around a value, or in place of the value's tag. */
export const contextual = (tag: number, value: Buffer, isPrimitive = false): Buffer =>
  tagged((isPrimitive ? 0x80 : 0xa0) | tag, value)

export function object(oid: string): Buffer {
  const [a = 0, b = 0, ...rest] = oid.split('.').map(Number)
  const base128 = (n: number): number[] => {
    const digits = [n & 0x7f]
    for (let left = n >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80)
    return digits
  }
  return tagged(6, Buffer.from([a * 40 + b, ...rest.flatMap(base128)]))
}
