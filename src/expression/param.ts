import type { param as Face, Param as ParamFace } from '../../index.js'
import { checkName, refuse } from '../errors/check.js'

/** A number that can be set while a run goes. */
export class Param implements ParamFace {
  readonly name: string
  readonly initial: number

  constructor(name: string, initial: number) {
    this.name = checkName('name', name)
    this.initial = checkParam(name, initial)
  }
}

export function checkParam(name: string, value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(`params.${name}`, 'a number', value)
}

export const param: typeof Face = (name, initial) => new Param(name, initial)
