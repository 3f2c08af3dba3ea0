import type { FailedTransactionMetadata } from 'litesvm'
import { INSTRUCTION_ERRORS, TRANSACTION_ERRORS } from './error-names.js'

export type InstructionError = string | { readonly Custom: number }

/** A transaction's error as RPC nodes write it. */
export type TransactionError =
  | string
  | { readonly InstructionError: readonly [index: number, error: InstructionError] }
  | { readonly DuplicateInstruction: number }
  | { readonly InsufficientFundsForRent: { readonly account_index: number } }
  | { readonly ProgramExecutionTemporarilyRestricted: { readonly account_index: number } }

type Native = ReturnType<FailedTransactionMetadata['err']>

interface Fields {
  readonly index: number
  readonly accountIndex: number
  readonly code: number
  err(): Native
}

function instructionError(error: unknown): InstructionError {
  if (typeof error === 'number') return INSTRUCTION_ERRORS[error] ?? 'GenericError'
  const { code } = error as Fields
  return code === undefined ? 'BorshIoError' : { Custom: code }
}

/** litesvm's error in the form of RPC nodes. */
export function transactionError(error: Native): TransactionError {
  if (typeof error === 'number') return TRANSACTION_ERRORS[error] ?? 'SanitizeFailure'
  const fields = error as unknown as Fields
  switch (error.constructor.name) {
    case 'TransactionErrorInstructionError':
      return { InstructionError: [fields.index, instructionError(fields.err())] }
    case 'TransactionErrorDuplicateInstruction':
      return { DuplicateInstruction: fields.index }
    case 'TransactionErrorInsufficientFundsForRent':
      return { InsufficientFundsForRent: { account_index: fields.accountIndex } }
    default:
      return { ProgramExecutionTemporarilyRestricted: { account_index: fields.accountIndex } }
  }
}

const TEXTS: Readonly<Record<string, string>> = {
  AccountNotFound: 'Attempt to debit an account but found no record of a prior credit.',
  AlreadyProcessed: 'This transaction has already been processed',
  BlockhashNotFound: 'Blockhash not found',
  InsufficientFundsForFee: 'Insufficient funds for fee',
  ProgramAccountNotFound: 'Attempt to load a program that does not exist',
  SignatureFailure: 'Transaction did not pass signature verification',
}

const words = (name: string) =>
  name.replace(/(?<=[a-z])[A-Z]/g, (c) => ` ${c.toLowerCase()}`).replace(/^./, (c) => c.toUpperCase())

/** The error as a sentence, as nodes put it behind "Transaction simulation failed: ". */
export function errorText(error: TransactionError): string {
  if (typeof error === 'string') return TEXTS[error] ?? words(error)
  if ('InstructionError' in error) {
    const [index, cause] = error.InstructionError
    const text = typeof cause === 'string' ? words(cause) : `custom program error: 0x${cause.Custom.toString(16)}`
    return `Error processing Instruction ${index}: ${text}`
  }
  if ('DuplicateInstruction' in error)
    return `Transaction contains a duplicate instruction (${error.DuplicateInstruction}) that is not allowed`
  if ('InsufficientFundsForRent' in error)
    return `Transaction results in an account (${error.InsufficientFundsForRent.account_index}) with insufficient funds for rent`
  const { account_index } = error.ProgramExecutionTemporarilyRestricted
  return `Execution of the program referenced by account at index ${account_index} is temporarily restricted.`
}
