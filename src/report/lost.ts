import type { EdgeReport, StageReport } from '../../index.js'

const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0)

/** What did not arrive and was not left out on purpose: how many, and of what. Empty where nothing was lost. */
export function lostOf(
  { stages, edges }: { readonly stages: readonly StageReport[]; readonly edges: readonly EdgeReport[] },
  gaps?: number,
): (readonly [n: number, what: string])[] {
  const live = stages.flatMap(({ live }) => (live ? [live] : []))
  const parts = [
    [sum(edges.map(({ dropped }) => dropped)), 'dropped', 'dropped'],
    [sum(stages.map(({ errors }) => errors)), 'error', 'errors'],
    [gaps ?? sum(live.map(({ gaps }) => gaps)), 'gap', 'gaps'],
    [sum(live.map(({ dropped }) => dropped)), 'message dropped', 'messages dropped'],
    [sum(live.map(({ errors }) => errors)), 'bad message', 'bad messages'],
    [sum(live.map(({ checksums }) => checksums)), 'wrong checksum', 'wrong checksums'],
  ] as const
  return parts.flatMap(([n, one, more]) => (n > 0 ? [[n, n === 1 ? one : more] as const] : []))
}
