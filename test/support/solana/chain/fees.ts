import type { WireInstruction, WireTransaction } from './transaction.js'

const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111'

/** Programs of the runtime itself, for which a transaction that sets no limit gets less (SIMD-0170). */
const BUILTINS: ReadonlySet<string> = new Set([
  COMPUTE_BUDGET,
  '11111111111111111111111111111111',
  'Vote111111111111111111111111111111111111111',
  'BPFLoader1111111111111111111111111111111111',
  'BPFLoader2111111111111111111111111111111111',
  'BPFLoaderUpgradeab1e11111111111111111111111',
  'LoaderV411111111111111111111111111111111111',
  'KeccakSecp256k11111111111111111111111111111',
  'Ed25519SigVerify111111111111111111111111111',
])

const UNITS_MOST = 1_400_000
const UNITS_OF_BUILTIN = 3000
const UNITS_OF_PROGRAM = 200_000

export const LAMPORTS_PER_SIGNATURE = 5000n

type Priced = Pick<WireTransaction, 'instructions' | 'signatures'>

const view = ({ data }: WireInstruction) => new DataView(data.buffer, data.byteOffset, data.byteLength)

/** What a transaction asks of the compute budget: units at most, and micro-lamports for each of them. */
export function computeBudget({ instructions }: Pick<Priced, 'instructions'>): { units: number; price: bigint } {
  let units: number | undefined
  let price = 0n
  let defaults = 0
  for (const instruction of instructions) {
    defaults += BUILTINS.has(instruction.program) ? UNITS_OF_BUILTIN : UNITS_OF_PROGRAM
    if (instruction.program !== COMPUTE_BUDGET) continue
    const { data } = instruction
    if (data[0] === 2 && data.length === 5) units = view(instruction).getUint32(1, true)
    if (data[0] === 3 && data.length === 9) price = view(instruction).getBigUint64(1, true)
  }
  return { units: Math.min(units ?? defaults, UNITS_MOST), price }
}

/** What a transaction pays in lamports, landed well or failed: for its signatures, and for its priority. */
export function fee(transaction: Priced): bigint {
  const { units, price } = computeBudget(transaction)
  return BigInt(transaction.signatures) * LAMPORTS_PER_SIGNATURE + (BigInt(units) * price + 999_999n) / 1_000_000n
}
