import { refuse, words } from '../errors/check.js'

/** One for all copies of the package in a thread. */
const IMPORTING = Symbol.for('velox-engine.importing')
const shared = globalThis as { [IMPORTING]?: boolean }

/** Imports a stage's module. */
export async function importing<R>(load: () => Promise<R>): Promise<R> {
  shared[IMPORTING] = true
  try {
    return await load()
  } finally {
    shared[IMPORTING] = false
  }
}

/** A module that both has a stage and starts a run would start it again in each of the run's workers, without end. */
export function refuseWhileImporting(): void {
  if (shared[IMPORTING])
    refuse('stage', 'a module of its own, that starts no run when it is loaded', words('one that does'))
}
