import type { Instrument as Face } from '../../index.js'
import { checkInteger, checkOptions, checkString, refuse } from '../errors/check.js'
import { call, native } from '../native.js'

/** A decimal: as a number it would be rounded before it is looked at. */
const checkDecimal = (field: string, example: string, value: string): string =>
  typeof value === 'string' ? value : refuse(field, `a decimal as text, such as '${example}'`, value)

/** Instruments live natively for the life of the process: the id is all that a handle needs. */
export class Instrument implements Face {
  readonly id: number
  readonly symbol: string
  readonly venue: string
  readonly tick: string
  readonly lot: string

  constructor(o: { symbol: string; venue?: string; tick: string; lot: string }) {
    checkOptions(o, ['symbol', 'venue', 'tick', 'lot'], 'Instrument')
    const { venue = '' } = o
    this.symbol = checkString('symbol', o.symbol)
    this.venue = checkString('venue', venue)
    this.tick = checkDecimal('tick', '0.10', o.tick)
    this.lot = checkDecimal('lot', '0.001', o.lot)
    this.id = call(() => native.instrumentNew(o.symbol, venue, o.tick, o.lot))
  }

  static of(id: number): Instrument {
    return new Instrument(native.instrumentInfo(id))
  }

  price(decimal: string): number {
    return this.#count(false, 'price', decimal)
  }

  formatPrice(ticks: number): string {
    return native.instrumentFormat(this.id, false, checkInteger('ticks', ticks))
  }

  qty(decimal: string): number {
    return this.#count(true, 'qty', decimal)
  }

  formatQty(lots: number): string {
    return native.instrumentFormat(this.id, true, checkInteger('lots', lots))
  }

  #count(isQty: boolean, field: string, decimal: string): number {
    checkDecimal(field, isQty ? '2.500' : '61800.30', decimal)
    return call(() => native.instrumentCount(this.id, isQty, decimal))
  }
}
