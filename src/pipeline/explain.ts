import type { Placement, StartOptions } from '../../index.js'
import { call, native } from '../native.js'
import type { Nodes } from './nodes.js'
import type { Declared } from './plan.js'
import { howOf } from './start.js'

const RING = 4096

function named(nodes: Nodes, [at, output]: readonly [number, number]): string {
  const { kind, name } = nodes.all[at] as Declared
  if (kind === 'split') return `${name} (${output === 0 ? 'holds' : 'otherwise'})`
  return name
}

function whatOf(nodes: Nodes, node: Declared): string {
  const books = (node.books ?? []).map(({ node }) => (nodes.all[node] as Declared).name)
  const parts = [
    node.kind,
    ...(node.params?.length
      ? [`params ${node.params.map(({ name, initial }) => `${name} = ${initial}`).join(', ')}`]
      : []),
    ...(books.length ? [`looks at ${[...new Set(books)].join(', ')}`] : []),
    ...(node.own
      ? [`a ring of ${node.own.capacity} to the main thread, ${node.own.drops ? 'drops' : 'blocks'} when full`]
      : []),
  ]
  return parts.join('; ')
}

/** The plan as text: its stages, what is fused, its threads, and the rings between them. */
export function explain(nodes: Nodes, o: StartOptions): string {
  const { threads, wait } = howOf(o, 'explain')
  const names = nodes.all.map(({ name }) => name)
  const books = nodes.all.map(({ books = [] }) => books.map(({ node }) => node))
  const asked = JSON.stringify({ names, books, threads, wait })
  const placement = JSON.parse(call(() => native.placementOf(asked))) as Placement[]
  const threadOf = (name: string) => placement.findIndex(({ stages }) => stages.includes(name))
  const column = Math.max(...names.map(({ length }) => length))
  const lines = [`pipeline ${nodes.name}`]
  for (const [i, { stages, wait, core, why }] of placement.entries()) {
    const scripts = stages.filter((name) => nodes.all.some((node) => node.kind === 'stage' && node.name === name))
    const worker = scripts.length > 0 ? `, a worker that runs ${scripts.join(', ')}` : ''
    lines.push('', `thread ${i + 1} (${wait}${core === undefined ? '' : `, core ${core}`}${worker}): ${why}`)
    for (const name of stages) {
      const node = nodes.all.find((node) => node.name === name) as Declared
      lines.push(`  ${name.padEnd(column)}  ${whatOf(nodes, node)}`)
      for (const from of node.from) {
        const far = threadOf((nodes.all[from[0]] as Declared).name)
        const full = node.whenFull === 'drop' || node.own?.drops ? 'drops when full' : 'blocks when full'
        const how =
          far === i
            ? `fused: the batch of ${named(nodes, from)} by reference`
            : `a ring of ${2 ** Math.ceil(Math.log2(node.capacity ?? RING))} from ${named(nodes, from)} on thread ${far + 1}`
        const says = far !== i || node.whenFull === 'drop' ? `, ${full}` : ''
        lines.push(`  ${''.padEnd(column)}    ← ${how}${says}`)
      }
    }
  }
  return lines.join('\n')
}
