/** What a message carries: faults aim by it. */
export interface Tag {
  readonly kind: 'snapshot' | 'book' | 'trade' | 'other'
  readonly symbol?: string
  /** The last number of the book event that it tells. */
  readonly sequence?: number
}

/** Which messages a fault is for: book events of any symbol, where nothing else is said. */
export interface Aim {
  readonly kind?: 'snapshot' | 'book' | 'trade'
  readonly symbol?: string
}

/** How often each thing happened since the start. */
export interface Counts {
  connections: number
  messages: number
  snapshots: number
  dropped: number
  repeated: number
  swapped: number
  cut: number
  closed: number
  stalls: number
  garbage: number
  refused: number
  restAnswers: number
  rest429: number
  restOld: number
  restDown: number
  /** Clients cut off for what they did not read. */
  slow: number
  /** Clients closed for their silence. */
  silent: number
}

export const noCounts = (): Counts => ({
  connections: 0,
  messages: 0,
  snapshots: 0,
  dropped: 0,
  repeated: 0,
  swapped: 0,
  cut: 0,
  closed: 0,
  stalls: 0,
  garbage: 0,
  refused: 0,
  restAnswers: 0,
  rest429: 0,
  restOld: 0,
  restDown: 0,
  slow: 0,
  silent: 0,
})

type Kind = 'drop' | 'repeat' | 'swap'

interface Plan {
  readonly kind: Kind
  readonly aim: Aim
  left: number
}

export type Send = (text: string, tag: Tag) => void

const fits = (aim: Aim, tag: Tag) =>
  tag.kind === (aim.kind ?? 'book') && (aim.symbol === undefined || aim.symbol === tag.symbol)

/** The faults of the stream that were asked for and have not happened yet. Each happens once, to whichever client is next. */
export class Faults {
  #plans: Plan[] = []
  readonly counts: Counts

  constructor(counts: Counts) {
    this.counts = counts
  }

  plan(kind: Kind, count: number, aim: Aim): void {
    this.#plans.push({ kind, aim, left: count })
  }

  /** How many are still to come. */
  get pending(): number {
    return this.#plans.reduce((sum, plan) => sum + plan.left, 0)
  }

  /** The fault that this message is to have, if any. */
  take(tag: Tag): { kind: Kind; aim: Aim } | undefined {
    if (this.#plans.length === 0) return undefined
    const plan = this.#plans.find(({ aim }) => fits(aim, tag))
    if (!plan) return undefined
    if (--plan.left === 0) this.#plans = this.#plans.filter((other) => other !== plan)
    return plan
  }
}

/** Lets the messages of one client through the faults, in the order in which it will get them. */
export class FaultySender {
  #held: { text: string; tag: Tag; aim: Aim } | undefined
  readonly #faults: Faults
  readonly #deliver: Send

  constructor(faults: Faults, deliver: Send) {
    this.#faults = faults
    this.#deliver = deliver
  }

  send: Send = (text, tag) => {
    const { counts } = this.#faults
    const held = this.#held
    if (held && fits({ ...held.aim, ...(held.tag.symbol ? { symbol: held.tag.symbol } : {}) }, tag)) {
      this.#held = undefined
      counts.swapped++
      this.#deliver(text, tag)
      this.#deliver(held.text, held.tag)
      return
    }
    const fault = this.#faults.take(tag)
    if (fault?.kind === 'drop') {
      counts.dropped++
    } else if (fault?.kind === 'swap') {
      this.#held = { text, tag, aim: fault.aim }
    } else {
      this.#deliver(text, tag)
      if (fault?.kind === 'repeat') {
        counts.repeated++
        this.#deliver(text, tag)
      }
    }
  }
}
