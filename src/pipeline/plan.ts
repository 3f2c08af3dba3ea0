import type { Element } from '../../index.js'
import type { Node } from '../expression/expression.js'
import type { ScriptPlan } from '../stage/host.js'

/** A pipeline as the native side builds it: plain data, and the slots of the native objects that it names. */
export interface Plan {
  readonly name: string
  readonly nodes: readonly NodePlan[]
  readonly params: readonly { name: string; initial: number }[]
  readonly threads: ThreadsPlan
  readonly wait: string
  readonly metrics: boolean
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
  | {
      kind: 'live'
      venue: string
      markets: readonly (string | number)[]
      url?: string
      restUrl?: string
      record?: string
    }
  | { kind: 'poisson'; perSecond: number; count?: number; seed: number; pace: PacePlan }
  | { kind: 'ringSource'; ring: number; bell?: number }

/** What a step does. `of` is its input's type where the native side needs its fields. */
export type StepPlan =
  | SourcePlan
  | { kind: 'book'; book: number; verify: boolean }
  | { kind: 'trades' }
  | { kind: 'transactions' }
  | { kind: 'bundle'; max: number; timeoutMicros: number }
  | { kind: 'filter'; expr: Node }
  | { kind: 'map'; to: TypePlan; fields: readonly (readonly [name: string, expr: Node])[] }
  | { kind: 'tee' }
  | { kind: 'split'; expr: Node }
  | { kind: 'merge'; by: Node; late: 'emit' | 'drop' }
  | { kind: 'sampleEvery'; n: number }
  | { kind: 'rateLimit'; perSecond: number }
  | { kind: 'dedupe'; key: Node; windowMicros: number; maxKeys: number }
  | { kind: 'conflate'; key: Node; maxKeys: number }
  /** `output` is a type's key. `script` is for the worker, not for the native side. */
  | { kind: 'stage'; output: string; script: ScriptPlan }
  | { kind: 'count' }
  | { kind: 'file'; path: string; format: 'csv' | 'velox' }
  | { kind: 'ring'; ring: number; bell?: number; drops?: boolean }

/** A record as the native side sees it: its key, its name, and its fields by byte offset. */
export interface TypePlan {
  readonly key: string
  readonly name: string
  readonly fields: readonly FieldPlan[]
}

export interface FieldPlan {
  readonly name: string
  readonly offset: number
  readonly kind: string
  readonly maxBytes?: number
  readonly names?: readonly string[]
}

/** Where records leave a node: its number, and which of its outputs. */
export type At = readonly [node: number, output: number]

export type NodePlan = StepPlan & {
  readonly name: string
  readonly from: readonly At[]
  readonly whenFull?: 'block' | 'drop'
  readonly capacity?: number
  /** The type of what comes in, for steps with expressions and files. */
  readonly of?: TypePlan
  /** The books that the step's expressions look at. */
  readonly books?: readonly BookValue[]
  /** The parameters that it reads, by their place in the plan. */
  readonly params?: readonly number[]
}

export interface BookValue {
  /** The node that keeps the book. */
  readonly node: number
  readonly value: 'mid' | 'spread' | 'bid' | 'ask' | 'imbalance'
  readonly levels?: number
}

/** A ring between the run and this thread, made anew for each start. */
export interface OwnEnd {
  readonly type: Element
  readonly capacity: number
  readonly drops: boolean
  /** What it is for: records from an iterable, batches for a callback, records for a sink, or the run's own `batches()`. */
  readonly use:
    | { readonly kind: 'iterable'; readonly values: AsyncIterable<unknown> | Iterable<unknown> }
    | { readonly kind: 'tap'; readonly f: (batch: never) => void }
    | { readonly kind: 'sink'; readonly take: (records: readonly never[]) => Promise<void> }
    | { readonly kind: 'batches' }
}

/** A node as it is declared: `own` is what `start` makes a ring for. */
export type Declared = Omit<NodePlan, 'params'> &
  StepPlan & { readonly own?: OwnEnd; readonly params?: readonly ParamUse[] }

export interface ParamUse {
  readonly name: string
  readonly initial: number
}

export type ThreadsPlan = 'auto' | number | readonly { core?: number; stages: readonly string[]; wait?: string }[]
