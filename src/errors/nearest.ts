/** How many letters are to be put in, taken out, replaced or swapped with the next to make `b` of `a`. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number) => (rows[i] as number[])[j] as number
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + differs)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(i - 2, j - 2) + 1)
      row.push(least)
    }
  }
  return at(a.length, b.length)
}

/** The known word that was probably meant: at most a third of it is different. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const letters = (w: string) => w.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  const ranked = known
    .map((candidate) => ({ candidate, off: distance(letters(word), letters(candidate)) }))
    .sort((a, b) => a.off - b.off)
  const [best] = ranked
  return best && best.off <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}
