// What nodes answer, read strictly. What one leaves out must not count as an answer: a status that isn't there would be one of
// "never heard of it", and a slot that isn't there is no older than any.

/** A result in the form that it must have; undefined for any other. */
export type Read<R> = (result: unknown) => R | undefined

export interface Blockhash {
  readonly blockhash: string
  readonly lastValidBlockHeight: bigint
}

export interface Status {
  readonly slot: number
  readonly err: unknown
  readonly confirmations?: number | null
  readonly confirmationStatus?: string | null
}

/** Statuses in the order of the signatures, and the slot that the node stood at. */
export interface Statuses {
  readonly slot: number
  readonly statuses: readonly (Status | null)[]
}

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isStatus = (value: unknown): value is Status | null =>
  value === null || (isObject(value) && isCount(value['slot']) && 'err' in value)

export const genesisHash: Read<string> = (result) => (isText(result) ? result : undefined)

export const latestBlockhash: Read<Blockhash> = (result) => {
  const { blockhash, lastValidBlockHeight } = fieldsOf(fieldsOf(result)['value'])
  return isText(blockhash) && isCount(lastValidBlockHeight)
    ? { blockhash, lastValidBlockHeight: BigInt(lastValidBlockHeight) }
    : undefined
}

export const statusesOf =
  (count: number): Read<Statuses> =>
  (result) => {
    const { context, value } = fieldsOf(result)
    const { slot } = fieldsOf(context)
    return isCount(slot) && Array.isArray(value) && value.length === count && value.every(isStatus)
      ? { slot, statuses: value }
      : undefined
  }

/** How far a node has come. */
export const epochInfo: Read<{ slot: number; height: bigint }> = (result) => {
  const { absoluteSlot: slot, blockHeight } = fieldsOf(result)
  return isCount(slot) && isCount(blockHeight) ? { slot, height: BigInt(blockHeight) } : undefined
}

export const prioritizationFees: Read<readonly number[]> = (result) => {
  const fees = Array.isArray(result) ? result.map((one) => fieldsOf(one)['prioritizationFee']) : [undefined]
  return fees.every(isCount) ? fees : undefined
}

export const simulation: Read<{ err: unknown; logs: readonly string[]; units: number }> = (result) => {
  const { value } = fieldsOf(result)
  const { err, logs, unitsConsumed: units = 0 } = fieldsOf(value)
  const said = logs ?? []
  return err !== undefined && isCount(units) && Array.isArray(said) ? { err, logs: said.map(String), units } : undefined
}

/** What is in accounts, and the slot of that; undefined for one that isn't there. */
export interface AccountsThen {
  readonly slot: number
  readonly data: readonly (Buffer | undefined)[]
}

export const accountsOf =
  (count: number): Read<AccountsThen> =>
  (result) => {
    const { context, value } = fieldsOf(result)
    const { slot } = fieldsOf(context)
    if (!isCount(slot) || !Array.isArray(value) || value.length !== count) return undefined
    const data = value.map((account) => {
      const of: unknown = fieldsOf(account)['data']
      return Array.isArray(of) && isText(of[0]) ? Buffer.from(of[0], 'base64') : undefined
    })
    return { slot, data }
  }

/** Accounts, at least one. */
export const accounts: Read<readonly string[]> = (result) =>
  Array.isArray(result) && result.length > 0 && result.every(isText) ? result : undefined
