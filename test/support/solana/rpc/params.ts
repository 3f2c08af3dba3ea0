import { type Address, getBase58Encoder } from '@solana/kit'
import { invalidParams, RpcError } from '../json-rpc.js'
import type { Commitment, View } from './view.js'

const base58 = getBase58Encoder()

export type Config = Readonly<Record<string, unknown>>

/** The object of options at `index`; none is an empty one. */
export function config(params: readonly unknown[], index: number): Config {
  const value = params[index] ?? {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalidParams(`Invalid params: invalid type: ${typeof value}, expected a map.`)
  return value as Config
}

export function text(params: readonly unknown[], index: number): string {
  const value = params[index]
  if (value === undefined) throw invalidParams('`params` should have at least 1 argument(s)')
  if (typeof value !== 'string')
    throw invalidParams(
      `Invalid params: invalid type: ${Array.isArray(value) ? 'sequence' : typeof value}, expected a string.`,
    )
  return value
}

function base58Bytes(value: string, bytes: number): void {
  let length: number
  try {
    length = base58.encode(value).length
  } catch {
    throw invalidParams('Invalid param: Invalid')
  }
  if (length !== bytes) throw invalidParams('Invalid param: WrongSize')
}

export function address(value: unknown): Address {
  const name = text([value], 0)
  base58Bytes(name, 32)
  return name as Address
}

export function signature(value: unknown): string {
  const name = text([value], 0)
  base58Bytes(name, 64)
  return name
}

export function commitment({ commitment: value = 'finalized' }: Config, key = 'commitment'): Commitment {
  if (value === 'processed' || value === 'confirmed' || value === 'finalized') return value
  throw invalidParams(
    `Invalid params: ${key}: unknown variant \`${String(value)}\`, expected one of \`processed\`, \`confirmed\`, \`finalized\`.`,
  )
}

/** Refuses where the node is not as far as the caller knows the chain to be. */
export function checkMinContextSlot(view: View, { minContextSlot }: Config, at: Commitment): void {
  const { slot } = view.block(at)
  if (typeof minContextSlot === 'number' && slot < minContextSlot)
    throw new RpcError(-32016, 'Minimum context slot has not been reached', { data: { contextSlot: slot } })
}
