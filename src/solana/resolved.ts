import type { CompiledTransactionMessage } from '@solana/kit'

/** An instruction as it runs, whatever the order of the message's accounts. */
export interface Resolved {
  readonly program: string
  /** Address (or table and number), then `s` where it signs and `w` where it is written. */
  readonly accounts: readonly string[]
  /** Hex. */
  readonly data: string
}

type Compiled = Exclude<CompiledTransactionMessage, { version: 1 }>

/** What each instruction of a compiled message says. */
export function resolve(compiled: CompiledTransactionMessage): Resolved[] {
  const { header, staticAccounts, instructions, ...rest } = compiled as Compiled
  const { numSignerAccounts: signers, numReadonlySignerAccounts, numReadonlyNonSignerAccounts } = header
  const own = staticAccounts.map((address, i) => {
    const signs = i < signers
    const isRead = signs
      ? i >= signers - numReadonlySignerAccounts
      : i >= staticAccounts.length - numReadonlyNonSignerAccounts
    return `${address} ${signs ? 's' : ''}${isRead ? '' : 'w'}`
  })
  const tables = 'addressTableLookups' in rest ? (rest.addressTableLookups ?? []) : []
  const written = tables.flatMap((t) => t.writableIndexes.map((i) => `${t.lookupTableAddress}/${i} w`))
  const read = tables.flatMap((t) => t.readonlyIndexes.map((i) => `${t.lookupTableAddress}/${i} `))
  const all = [...own, ...written, ...read]
  return instructions.map(({ programAddressIndex, accountIndices = [], data = new Uint8Array() }) => ({
    program: staticAccounts[programAddressIndex] as string,
    accounts: accountIndices.map((i) => all[i] as string),
    data: Buffer.from(data).toString('hex'),
  }))
}
