import { machine } from '../../report/machine.js'
import { lookOf } from '../screen.js'
import type { BenchOptions } from './command.js'
import { drawFigures } from './draw.js'
import { measure, NATIVE } from './measure.js'

/** `velox bench`; gives the exit code. */
export async function bench({ json, seconds }: BenchOptions): Promise<number> {
  const { stderr, stdout } = process
  const on = machine()
  let done = 0
  const figures = await measure(seconds, (name) => {
    if (stderr.isTTY) stderr.write(`\r\x1b[K${++done} of ${NATIVE.length + 1}: ${name}`)
  })
  if (stderr.isTTY) stderr.write('\r\x1b[K')
  if (json) console.log(JSON.stringify({ date: new Date().toISOString(), seconds, machine: on, figures }))
  else console.log(drawFigures(figures, on, lookOf(stdout)).join('\n'))
  return 0
}
