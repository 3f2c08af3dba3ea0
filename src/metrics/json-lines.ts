import type { Exporter } from '../../index.js'
import type { jsonLines as Face } from '../../metrics.js'
import { refuse } from '../errors/check.js'

export const jsonLines: typeof Face = (to): Exporter => {
  if (typeof to?.write !== 'function') refuse('to', 'a stream to write to', to)
  return {
    export(name, { print: _, ...numbers }) {
      const line = `${JSON.stringify({ time: new Date().toISOString(), name, ...numbers })}\n`
      return new Promise((resolve, reject) => {
        to.write(line, (error) => (error ? reject(error) : resolve()))
      })
    },
  }
}
