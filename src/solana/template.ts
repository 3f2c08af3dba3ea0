import { randomBytes } from 'node:crypto'
import type * as Kit from '@solana/kit'
import type { Infer, RecordType, Transaction as TransactionFace } from '../../index.js'
import type { Signer } from '../../solana.js'
import { checkFunction, checkOptions, checkTicks, refuse, words } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { Transaction } from '../record/transaction.js'
import { type Addresses, type AddressHole, checkAddresses } from './addresses.js'
import { type KitInstruction, type KitMessage, kit } from './kit.js'
import { type Base, baseOf, type HolePlan, nativeTemplate } from './plan.js'
import { type Build, probe, refuseEach } from './probe.js'
import type { TransactionTemplate } from './transaction-template.js'
import { verify } from './verify.js'

const OPTIONS = ['signer', 'signers', 'record', 'message', 'each', 'addresses', 'packing', 'tip', 'spends', 'lamports']

/** What a template is made of; its words are those of kit. */
export interface TemplateOptions<T extends RecordType, A extends Addresses<T>> {
  /** The fee payer's key. */
  readonly signer: Signer
  /** Keys of other accounts that sign. */
  readonly signers?: readonly Signer[]
  /** What the records are: Transaction by default. */
  readonly record?: T
  /** What all transactions have in common: the version, the fee payer, the compute budget, fixed instructions. */
  readonly message: KitMessage
  /**
   * A record's own instructions, written as for one transaction. It is called while the template is made, never after:
   * with records in which one field differs, to find where the field goes. So it puts fields in as they are and does
   * nothing else with them but choose by a name (`order.side === 'bid' ? BUY : SELL`).
   */
  readonly each: (row: Infer<T>, addresses: Readonly<Record<keyof A, Kit.Address>>) => readonly KitInstruction[]
  /** Accounts that differ from record to record. */
  readonly addresses?: A
  /** How many records one transaction holds: 1. */
  readonly packing?: number
  /** Whether room for a tip is kept: true. */
  readonly tip?: boolean
  /** Fields whose value counts as lamports that are spent. What the system program moves counts anyway. */
  readonly spends?: readonly (keyof T['fields'] & string)[]
  /** Lamports that each transaction may spend besides. */
  readonly lamports?: bigint
}

/** Addresses that stand for those of each record. */
function placeholders(kit: typeof Kit, holes: readonly AddressHole[]): Record<string, Kit.Address> {
  return Object.fromEntries(holes.map(({ name }) => [name, kit.getAddressDecoder().decode(randomBytes(32))]))
}

/** Two holes of one field are told apart by a number. */
function named(field: string, before: readonly { readonly name: string }[]): string {
  const count = before.filter(({ name }) => name === field || name.startsWith(`${field} (`)).length
  return count === 0 ? field : `${field} (${count + 1})`
}

function checkMessage(kit: typeof Kit, message: KitMessage): void {
  if (!Array.isArray(message?.instructions) || message.feePayer === undefined)
    refuse('message', 'a transaction message of @solana/kit with a fee payer', message)
  if (kit.isTransactionMessageWithDurableNonceLifetime(message as never))
    throw new VeloxError('VELOX_TEMPLATE_INVALID', {
      field: 'message',
      expected: 'a hole for a fresh blockhash; messageBuilder takes nonces',
      got: words('a message that lives by a durable nonce'),
    })
}

const compiled = (kit: typeof Kit, message: KitMessage): Uint8Array =>
  new Uint8Array(
    kit.getCompiledTransactionMessageEncoder().encode(kit.compileTransactionMessage(message as never) as never),
  )

/** The addresses that the message takes from lookup tables. */
function lookedUp(message: { readonly instructions: readonly KitInstruction[] }): string[] {
  const accounts = message.instructions.flatMap(({ accounts = [] }) => accounts)
  return [...new Set(accounts.filter((account) => 'lookupTableAddress' in account).map(({ address }) => address))]
}

/**
 * Makes a template of a message, written with `@solana/kit` as for one record: the places of the record's fields are found by trying,
 * and what it makes is held to what kit makes of the same records before it is given. From then on records become
 * signed transactions natively, some 30 µs each, off the event loop.
 *
 * VELOX_TEMPLATE_INVALID for a message or fields that no template can hold (`messageBuilder` can), VELOX_TRANSACTION_TOO_LONG,
 * VELOX_PEER_MISSING without kit.
 *
 * @example
 * const template = await transactionTemplate({
 *   signer,
 *   message: pipe(
 *     createTransactionMessage({ version: 0 }),
 *     (m) => setTransactionMessageFeePayer(address(signer.address), m),
 *     (m) => setTransactionMessageComputeUnitPrice(1n, m), // put in anew each time
 *   ),
 *   addresses: { market: { by: 'instrument', table: markets } },
 *   each: (order, { market }) => [getPlaceOrderInstruction({ market, price: order.price, size: order.size })],
 *   packing: 4,
 * })
 */
export async function transactionTemplate<const A extends Addresses<T>, T extends RecordType = typeof TransactionFace>(
  o: TemplateOptions<T, A>,
): Promise<TransactionTemplate<T>> {
  checkOptions(o, OPTIONS, 'transactionTemplate')
  const { signer, signers = [], message, each, packing, tip, spends = [], lamports = 0n } = o
  const record = o.record ?? (Transaction as unknown as T)
  const base: Base<T> = baseOf({ signers: [signer, ...signers], record, packing, tip })
  checkFunction('each', 'a function that gives instructions', each)
  checkTicks('lamports', lamports)
  const peer = await kit()
  checkMessage(peer, message)
  const addressHoles = checkAddresses(record, o.addresses ?? {})
  const stand = placeholders(peer, addressHoles)
  const build =
    (addresses: Record<string, Kit.Address>): Build =>
    (row) =>
      each(row as Infer<T>, addresses as never)
  const found = probe(record, build(stand))
  const from = message.instructions.length
  const holes: HolePlan[] = []
  for (const { field, instruction, offset, format } of found.holes) {
    // A byte of an amount says little of what is spent.
    const counts = spends.includes(field) && format.kind === 'integer'
    holes.push({ name: named(field, holes), field, instruction: from + instruction, offset, format, spends: counts })
  }
  for (const field of spends)
    if (!holes.some((hole) => hole.field === field && 'spends' in hole && hole.spends))
      refuseEach('an instruction that has what it spends, as a whole number', field)
  const used = new Set<string>(found.base.flatMap(({ accounts = [] }) => accounts.map(({ address }) => address)))
  for (const { name } of addressHoles)
    if (!used.has(stand[name] as Kit.Address)) refuseEach(`an account that is \`addresses.${name}\``, 'none of it')
  for (const { name, field, table } of addressHoles)
    holes.push({ name, field, placeholder: stand[name] as string, table })
  const whole = peer.appendTransactionMessageInstructions([...found.base], message as never) as unknown as KitMessage
  const template = nativeTemplate(base, {
    message: compiled(peer, whole),
    each: [from, from + found.base.length],
    holes,
    lookedUp: lookedUp(whole),
    lamports,
  })
  await verify({ kit: peer, template, message, build, holes, addressHoles })
  return template
}
