import type { Param as Face } from '../../index.js'
import { checkString, refuse } from '../errors/check.js'
import { nearest } from '../errors/nearest.js'
import { checkParam, Param } from '../expression/param.js'
import { call, native } from '../native.js'

/** The parameters of a run: those of its expressions by name, those of its stages by name or `stage.name`. */
export class RunParams {
  /** The slot is this run's as long as it lives. */
  readonly #owner: object
  readonly #run: number
  readonly #places = new Map<string, number>()

  constructor(owner: object, run: number, params: readonly { name: string; stage?: string }[]) {
    this.#owner = owner
    this.#run = run
    const counts = new Map<string, number>()
    for (const { name } of params) counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const [place, { name, stage }] of params.entries()) {
      if (stage !== undefined) this.#places.set(`${stage}.${name}`, place)
      // A name of two stages says neither.
      if (stage === undefined || counts.get(name) === 1) this.#places.set(name, place)
    }
  }

  set(p: Face | string, value: number): void {
    const place = this.#place(p)
    const checked = checkParam(p instanceof Param ? p.name : String(p), value)
    call(() => native.runParamSet(this.#run, place, checked))
  }

  get(p: Face | string): number {
    const place = this.#place(p)
    return call(() => native.runParamGet(this.#run, place))
  }

  #place(p: Face | string): number {
    void this.#owner
    const name = p instanceof Param ? p.name : checkString('param', p as string)
    const place = this.#places.get(name)
    if (place !== undefined) return place
    const known = [...this.#places.keys()]
    const meant = nearest(name, known)
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
    return refuse(
      'param',
      known.length === 0 ? 'a parameter of the run, which has none' : `one of ${known.join(', ')}${hint}`,
      name,
    )
  }
}
