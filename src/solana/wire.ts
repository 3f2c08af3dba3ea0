// What the bytes of a signed transaction say of it: https://solana.com/docs/core/transactions.

const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

export function base58Of(bytes: Uint8Array): string {
  let text = ''
  for (let rest = BigInt(`0x0${Buffer.from(bytes).toString('hex')}`); rest > 0n; rest /= 58n)
    text = (DIGITS[Number(rest % 58n)] as string) + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros === -1 ? bytes.length : zeros) + text
}

/** Its first signature and its blockhash in base58; undefined for what is too short to have them. */
export function wireOf(base64: string): { readonly signature: string; readonly blockhash: string } | undefined {
  const bytes = Buffer.from(base64, 'base64')
  let at = 0
  // Lengths have seven bits a byte, the lowest first; those here fit two.
  const length = () => {
    const low = bytes[at++] ?? 0
    return low < 0x80 ? low : (low & 0x7f) | ((bytes[at++] ?? 0) << 7)
  }
  const signatures = length()
  const signature = bytes.subarray(at, at + 64)
  at += 64 * signatures
  // A version is one byte more before the header of three.
  at += (bytes[at] ?? 0) >= 0x80 ? 4 : 3
  const accounts = length()
  at += 32 * accounts
  const blockhash = bytes.subarray(at, at + 32)
  return signatures > 0 && blockhash.length === 32
    ? { signature: base58Of(signature), blockhash: base58Of(blockhash) }
    : undefined
}
