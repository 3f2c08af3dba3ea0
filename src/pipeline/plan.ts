import type { Node } from '../expression/expression.js'
import type { ScriptPlan } from '../stage/host.js'

/** A pipeline as the native side builds it: plain data, and the slots of the native objects that it names. */
export interface Plan {
  readonly name: string
  readonly source: SourcePlan
  readonly steps: readonly StepPlan[]
  readonly threads: ThreadsPlan
  readonly wait: string
}

export type PacePlan = 'recorded' | 'max' | { perSecond: number }

export type SourcePlan =
  | {
      kind: 'replay'
      path: string
      pace: PacePlan
      format?: string
      symbols: readonly string[]
      instruments: readonly number[]
    }
  | { kind: 'poisson'; perSecond: number; count?: number; seed: number; pace: PacePlan }
  | { kind: 'ring'; ring: number }

export type StepPlan =
  | { kind: 'book'; name: string; book: number; verify: boolean }
  | { kind: 'trades'; name: string }
  | { kind: 'transactions'; name: string }
  | { kind: 'bundle'; name: string; max: number; timeoutMicros: number }
  | { kind: 'filter'; name: string; expr: Node }
  /** `output` is a type's key. `script` is for the worker, not for the native side. */
  | { kind: 'stage'; name: string; output: string; script: ScriptPlan }
  | { kind: 'count'; name: string }
  | { kind: 'ring'; name: string; ring: number }

export type ThreadsPlan = 'auto' | number | readonly { core?: number; stages: readonly string[]; wait?: string }[]
