// Calls a user's function, and keeps its code apart from the engine's. V8 puts what one place calls into the code around it, and a loop
// over records that is put there may find its limit of code used up: each accessor then stays a call, and by the chance of which was hot
// first, a batch takes five times as long. A place that has called several functions takes none of them in: the loop is compiled for
// itself, with its accessors in it.

/** Calls with a batch or a writer. */
export const apart = <A, R>(f: (a: A) => R, a: A): R => f(a)

/** Calls with both. */
export const apartWith = <A, B, R>(f: (a: A, b: B) => R, a: A, b: B): R => f(a, b)

// V8 takes down what a place calls only once its function was called some hundred times.
const several: readonly ((a: number) => number)[] = [(a) => a, (a) => -a]
for (let i = 0; i < 1_000; i++) {
  for (const f of several) {
    apart(f, i)
    apartWith(f, i, i)
  }
}
