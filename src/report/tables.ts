import { type Html, html } from './html.js'

/** A cell: a text, or a value of the report, how it reads, and where in the report it is. */
export type Cell = string | { readonly path: string; readonly value: unknown; readonly text: string }

/** A value as an attribute; what isn't there is an empty one. */
export function attribute(value: unknown): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}

/** A value of the report where it is read: with its place beside it. */
export function datum({ path, value, text }: Exclude<Cell, string>): Html {
  return html`<data data-path="${path}" data-value="${attribute(value)}">${text}</data>`
}

/**
 * A table; the first cell of a row names it, the others are numbers. Where the page is narrow each row is a block of its own, with
 * what each cell is above it, so that nothing lies beyond the edge.
 */
export function table(
  name: string,
  heads: readonly string[],
  rows: readonly (readonly Cell[])[],
  isText = false,
): Html {
  const cell = (of: Cell, i: number) => {
    const head = heads[i + 1] ?? ''
    return typeof of === 'string'
      ? html`<td data-head="${head}">${of}</td>`
      : html`<td data-head="${head}" data-path="${of.path}" data-value="${attribute(of.value)}">${of.text}</td>`
  }
  return html`<div class="scroll" role="region" aria-label="${name}" tabindex="0"><table class="${isText ? 'texts' : 'numbers'}">
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(([first = '', ...rest]) => {
    const head = typeof first === 'string' ? first : datum(first)
    return html`<tr><th scope="row">${head}</th>${rest.map(cell)}</tr>`
  })}</tbody></table></div>`
}
