/** `costs`: the engine runs, and slower than it could; `broken`: it doesn't run; `unknown`: this system doesn't say. */
export type Verdict = 'good' | 'costs' | 'broken' | 'unknown'

export interface Finding {
  readonly name: string
  readonly found: string
  readonly verdict: Verdict
  /** What it costs, where it costs. */
  readonly cost?: string
  /** How to mend it, or that only somebody else can. */
  readonly mend?: string
}

export const good = (name: string, found: string): Finding => ({ name, found, verdict: 'good' })
export const unknown = (name: string, found: string): Finding => ({ name, found, verdict: 'unknown' })
export const costs = (name: string, found: string, cost: string, mend: string): Finding => ({
  name,
  found,
  verdict: 'costs',
  cost,
  mend,
})
export const broken = (name: string, found: string, cost: string, mend: string): Finding => ({
  name,
  found,
  verdict: 'broken',
  cost,
  mend,
})
