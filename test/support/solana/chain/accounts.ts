import { type Address, type EncodedAccount, lamports, type MaybeEncodedAccount } from '@solana/kit'
import type { LiteSVM } from 'litesvm'

interface Image {
  readonly slot: number
  readonly account: MaybeEncodedAccount
}

/** Slots that can be looked back. */
const SLOTS_MOST = 1024

const SYSTEM = '11111111111111111111111111111111' as Address

const absent = (address: Address): EncodedAccount => ({
  address,
  data: new Uint8Array(),
  executable: false,
  lamports: lamports(0n),
  programAddress: SYSTEM,
  space: 0n,
})

/**
 * The accounts of a VM that knows only what they are now: what they were before each block is kept beside it, so that
 * they can be read as they were at a slot, and so that what a bundle did can be undone.
 */
export class Accounts {
  readonly #images: Map<Address, Image[]> = new Map()
  #order: { readonly slot: number; readonly address: Address }[] = []
  #undo: Map<Address, MaybeEncodedAccount> | undefined
  readonly svm: LiteSVM

  constructor(svm: LiteSVM) {
    this.svm = svm
  }

  /** To be called for each account before a block at `slot` writes it. */
  beforeWrite(address: Address, slot: number): void {
    const images = this.#images.get(address) ?? []
    const isKnown = images.at(-1)?.slot === slot
    if (isKnown && (!this.#undo || this.#undo.has(address))) return
    const account = this.svm.getAccount(address)
    if (this.#undo && !this.#undo.has(address)) this.#undo.set(address, account)
    if (isKnown) return
    images.push({ slot, account })
    this.#images.set(address, images)
    this.#order.push({ slot, address })
  }

  /** The account as it was at the end of `slot`. */
  at(address: Address, slot: number): MaybeEncodedAccount {
    const image = this.#images.get(address)?.find((other) => other.slot > slot)
    return image?.account ?? this.svm.getAccount(address)
  }

  lamports(address: Address): bigint {
    return this.svm.getBalance(address) ?? 0n
  }

  /** Accounts that a block at `slot` wrote. */
  writtenAt(slot: number): readonly Address[] {
    return this.#order.filter((entry) => entry.slot === slot).map((entry) => entry.address)
  }

  set(account: EncodedAccount, slot: number): void {
    this.beforeWrite(account.address, slot)
    this.svm.setAccount(account)
  }

  /** From here on what is written can be undone. */
  begin(): void {
    this.#undo = new Map()
  }

  commit(): void {
    this.#undo = undefined
  }

  /** Everything written since `begin` is as it was. */
  rollBack(): void {
    for (const [address, account] of this.#undo ?? []) this.svm.setAccount(account.exists ? account : absent(address))
    this.#undo = undefined
  }

  /** Forgets what is too old to be asked for. */
  prune(slot: number): void {
    if ((this.#order[0]?.slot ?? slot) > slot - 2 * SLOTS_MOST) return
    const oldest = slot - SLOTS_MOST
    for (const { address } of this.#order.filter((entry) => entry.slot <= oldest)) {
      const kept = (this.#images.get(address) ?? []).filter((image) => image.slot > oldest)
      if (kept.length > 0) this.#images.set(address, kept)
      else this.#images.delete(address)
    }
    this.#order = this.#order.filter((entry) => entry.slot > oldest)
  }

  /** The same history over another VM. */
  copy(svm: LiteSVM): Accounts {
    const copy = new Accounts(svm)
    for (const [address, images] of this.#images) copy.#images.set(address, [...images])
    copy.#order = [...this.#order]
    return copy
  }
}
