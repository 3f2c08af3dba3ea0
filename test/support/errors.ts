import { VeloxError, type VeloxErrorCode } from 'velox-engine'
import { expect } from 'vitest'

/** The VeloxError that `f` throws. */
export function thrown(f: () => unknown): VeloxError {
  try {
    f()
  } catch (error) {
    if (error instanceof VeloxError) return error
    throw error
  }
  throw new Error('expected a VeloxError, got none')
}

export function expectCode(f: () => unknown, code: VeloxErrorCode, ...texts: string[]): void {
  const error = thrown(f)
  expect(error.code, error.message).toBe(code)
  for (const text of texts) expect(error.message).toContain(text)
}

/** The VeloxError that `promise` rejects with. */
export async function rejected(promise: Promise<unknown>): Promise<VeloxError> {
  const error = await promise.then(
    () => new Error('expected a VeloxError, got none'),
    (error: unknown) => error,
  )
  if (error instanceof VeloxError) return error
  throw error
}
