import { setImmediate as soon } from 'node:timers'
import { setImmediate as turn } from 'node:timers/promises'

/** So long the event loop is kept in one of its turns, by all work together that breathes between its pieces. */
const MILLIS = 0.5

/** When the first piece of this turn was done. */
let began: number | undefined

function beganAt(): number {
  if (began === undefined) {
    began = performance.now()
    soon(() => {
      began = undefined
    })
  }
  return began
}

/** Between two pieces of work: timers and sockets have their turn once this one has been long. */
export async function breathe(): Promise<void> {
  while (performance.now() - beganAt() >= MILLIS) await turn()
}
