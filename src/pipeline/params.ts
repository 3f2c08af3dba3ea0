import type { Param as Face } from '../../index.js'
import { checkString, refuse } from '../errors/check.js'
import { nearest } from '../errors/nearest.js'
import { checkParam, Param } from '../expression/param.js'
import { native } from '../native.js'

/** The parameters of a run: those of its expressions by name, those of its stages by name or `stage.name`. */
export class RunParams {
  readonly #run: number
  readonly #places = new Map<string, number>()

  constructor(run: number, params: readonly { name: string; stage?: string }[]) {
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
    native.runParamSet(this.#run, place, checkParam(p instanceof Param ? p.name : String(p), value))
  }

  get(p: Face | string): number {
    return native.runParamGet(this.#run, this.#place(p))
  }

  #place(p: Face | string): number {
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
