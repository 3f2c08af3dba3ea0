import type { RecordType } from '../../index.js'
import type { Signer as SignerFace } from '../../solana.js'
import { checkInteger, refuse } from '../errors/check.js'
import { call, native } from '../native.js'
import { codecOf } from '../record/codec.js'
import { typePlan } from '../record/type-plan.js'
import { strideOf } from '../ring/layout.js'
import { Signer } from './signer.js'
import { TransactionTemplate } from './transaction-template.js'

/** How a value is written into an instruction's data. */
export type FormatPlan =
  | { readonly kind: 'integer'; readonly bytes: number; readonly signed: boolean; readonly bigEndian: boolean }
  | { readonly kind: 'byte'; readonly index: number }
  | { readonly kind: 'text' }
  /** Bytes by the field's value. */
  | { readonly kind: 'choice'; readonly table: readonly (readonly number[])[] }

/** A place that a field of each record is put into. */
export type HolePlan = { readonly name: string; readonly field: string } & (
  | { readonly instruction: number; readonly offset: number; readonly format: FormatPlan; readonly spends: boolean }
  | { readonly placeholder: string; readonly table: readonly string[] }
)

/** What a template needs beside its message and holes. */
export interface Base<T extends RecordType> {
  readonly signers: readonly SignerFace[]
  readonly record: T
  readonly packing: number
  readonly tip: boolean
}

export interface MessagePlan {
  readonly message: Uint8Array
  readonly each: readonly [from: number, to: number]
  readonly holes: readonly HolePlan[]
  readonly lookedUp: readonly string[]
  readonly lamports: bigint
}

/** The record, the packing and the signers of a template, checked. */
export function baseOf<T extends RecordType>(o: {
  signers: readonly SignerFace[]
  record: T
  packing: number | undefined
  tip: boolean | undefined
}): Base<T> {
  const { signers, record, packing = 1, tip = true } = o
  if (codecOf(record).fields.length === 0) refuse('record', 'a record', record)
  if (typeof tip !== 'boolean') refuse('tip', 'true or false', tip)
  signers.forEach(Signer.slotOf)
  return { signers, record, packing: checkInteger('packing', packing, 1, 1_232), tip }
}

/** Makes the native template; without a message that of memos. */
export function nativeTemplate<T extends RecordType>(
  { signers, record, packing, tip }: Base<T>,
  of?: MessagePlan,
): TransactionTemplate<T> {
  const { message, lamports = 0n, ...rest } = of ?? {}
  const { fields } = typePlan(record)
  const stride = strideOf(codecOf(record).byteLength)
  const slots = signers.map(Signer.slotOf)
  const plan = JSON.stringify({ signers: slots, stride, fields, packing, tip, lamports: `${lamports}`, ...rest })
  return new TransactionTemplate(
    call(() => native.templateNew(plan, message)),
    record,
    packing,
  )
}
