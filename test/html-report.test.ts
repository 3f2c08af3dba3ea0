import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { count, fromIterable, L2Book, pipeline, poisson, u32 } from 'velox-engine'
import { history, type RunReport, renderReport, writeReport } from 'velox-engine/metrics'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, chromium, launch } from './support/browser.js'
import { rejected } from './support/errors.js'
import { root } from './support/node.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-report-'))
const files = { html: join(folder, 'out.html'), json: join(folder, 'out.json') }
afterAll(() => rmSync(folder, { recursive: true }))

const SCRIPT = '</title><script>alert(1)</script>'
const IMAGE = `<img src="x" onerror='alert(2)'> & more`
const LONG = 'a name that is far longer than any stage of a pipeline would be called by anybody who has to read it'

function watched(records = 10_000_000) {
  const source = poisson({ perSecond: 20_000, count: records, seed: 1 })
  const book = new L2Book({ instrument: source.instrument() })
  return pipeline(IMAGE)
    .from(source)
    .book(book)
    .trades()
    .filter((t) => t.qty.ge(1), { name: SCRIPT })
    .transactions()
    .bundle()
    .to(count(LONG))
}

let json: RunReport
let page: string

beforeAll(async () => {
  const run = await watched(30_000).start({ threads: 2 })
  const report = await history(run).done()
  await writeReport(files.html, report)
  await writeReport(pathToFileURL(files.json), report)
  json = JSON.parse(readFileSync(files.json, 'utf8')) as RunReport
  page = readFileSync(files.html, 'utf8')
})

/** What lies at a place such as `report.stages.0.in`. */
function at(path: string): unknown {
  return path.split('.').reduce<unknown>((of, key) => (of as Record<string, unknown>)[key], json)
}

/** A value as an attribute has it. */
function attribute(value: unknown): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const plain = (text: string) => text.replace(/&(#?\w+);/g, (_, name: string) => ENTITIES[name] ?? `?${name}?`)

interface Datum {
  readonly path: string
  readonly value: string
  readonly text: string
}

/** The figures must be those of the JSON; gives their places. */
function expectFigures(data: readonly Datum[]): string[] {
  for (const { path, value, text } of data) {
    expect([path, value]).toEqual([path, attribute(at(path))])
    const isCount = Number.isSafeInteger(at(path)) && !/Nanos|memoryBytes/.test(path)
    if (isCount) expect([path, text.replaceAll(/[^\d]/g, '')]).toEqual([path, value])
  }
  return data.map(({ path }) => path)
}

/** Accounts that a page may not leave out. */
function accounts(): string[] {
  const { stages, edges } = json.report
  return [
    ...stages.flatMap((_, i) => ['in', 'consumed', 'out', 'errors', 'busy'].map((key) => `report.stages.${i}.${key}`)),
    ...edges.flatMap((_, i) => ['pushed', 'dropped', 'highWater'].map((key) => `report.edges.${i}.${key}`)),
    ...stages.slice(1).map((_, i) => `report.stages.${i + 1}.latencyNanos.p999`),
    ...['report.endToEndNanos.p99', 'report.balanced', 'machine.processor', 'report.placement.1.stages'],
  ]
}

describe('the data', () => {
  const validate = new Ajv2020().compile(JSON.parse(readFileSync(join(root, 'docs/report.schema.json'), 'utf8')))

  test('fits its schema, which takes nothing else', () => {
    expect(validate(json), JSON.stringify(validate.errors)).toBe(true)
    const { run: _, ...nameless } = json
    expect(validate(nameless)).toBe(false)
    expect(validate({ ...json, more: 1 })).toBe(false)
    expect(validate({ ...json, report: { ...json.report, perSecond: '5' } })).toBe(false)
  })

  test('is of one run: histograms and history end where the report does', () => {
    const { report, histograms, history } = json
    expect([json.version, json.run, report.balanced]).toEqual([1, IMAGE, true])
    expect(history.elapsedNanos.at(-1)).toBe(report.elapsedNanos)
    expect(history.elapsedNanos.length).toBeGreaterThan(5)
    expect(history.elapsedNanos).toEqual(history.elapsedNanos.toSorted((a, b) => a - b))
    expect(history.stages.map((stage) => [stage.name, stage.in.at(-1)])).toEqual(
      report.stages.map((stage) => [stage.name, stage.in]),
    )
    for (const { in: taken } of history.stages) expect(taken).toEqual(taken.toSorted((a, b) => a - b))
    for (const [i, { inFlight }] of history.edges.entries())
      expect(Math.max(...inFlight)).toBeLessThanOrEqual(report.edges[i]?.highWater as number)
    for (const { stage, buckets, count } of histograms.filter(({ hop }) => hop === 'stage')) {
      const told = report.stages.find(({ name }) => name === stage)?.latencyNanos
      expect([count, buckets.reduce((sum, [, n]) => sum + n, 0)]).toEqual([told?.count, told?.count])
    }
  })

  test('of a long run keeps at most 512 instants, evenly apart', async () => {
    const run = await watched(60_000).start()
    const { history: told } = await history(run, { everyMillis: 1 }).done()
    expect(told.everyMillis).toBeGreaterThanOrEqual(2)
    expect(Math.log2(told.everyMillis) % 1).toBe(0)
    expect(told.elapsedNanos.length).toBeGreaterThan(200)
    expect(told.elapsedNanos.length).toBeLessThanOrEqual(512)
  })
})

describe('the page', () => {
  test('has only tags and attributes that fetch nothing and run nothing, whatever a name holds', () => {
    const tags = [...page.replace(/<style>.*?<\/style>/s, '').matchAll(/<([a-z]\w*)((?:\s[^<>]*)?)>/g)]
    const names = new Set(tags.map(([, name]) => name))
    for (const name of ['script', 'img', 'link', 'a', 'iframe', 'object', 'image', 'use', 'base'])
      expect(names).not.toContain(name)
    const attributes = new Set(
      tags.flatMap(([, , text]) => [...(text as string).matchAll(/\s([\w-]+)="[^"]*"/g)].map(([, a]) => a)),
    )
    for (const name of attributes) expect(name).not.toMatch(/^(on\w+|src|href|style|action|xlink)$/)
    expect(page.match(/<style>(.*?)<\/style>/s)?.[1]).not.toMatch(/url\(|@import|\/\//)
    expect(page.match(/url\([^)]*\)/g)?.every((url) => /^url\(#clip-\w+\)$/.test(url))).toBe(true)
    expect(page).not.toMatch(/https?:|\/\/\w/)
    expect(page).toContain('default-src &#39;none&#39;')
    expect(page).toContain('&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  test('has the figures of the JSON, each with its place beside it', () => {
    const found = page.matchAll(/<(td|data)(?: data-head="[^"]*")? data-path="([^"]*)" data-value="([^"]*)">([^<]*)</g)
    const data = [...found].map(([, , path, value, text]) => {
      return { path: plain(path as string), value: plain(value as string), text: plain(text as string) }
    })
    expect(expectFigures(data)).toEqual(expect.arrayContaining(accounts()))
  })

  test('draws each hop on a logarithmic scale, through the percentiles of the report', () => {
    const wide = page.match(/<svg class="chart wide".*?<\/svg>/s)?.[0] as string
    const series = [...wide.matchAll(/data-histogram="histograms\.(\d+)">(.*?)<\/g>/gs)]
    expect(series).toHaveLength(json.histograms.length)
    const marks = series.flatMap(([, i, text]) => {
      const { stage, hop } = json.histograms[Number(i)] as RunReport['histograms'][number]
      const own = json.report.stages.find(({ name }) => name === stage)?.latencyNanos
      const { endToEndNanos, bundleWaitNanos, hiccupNanos } = json.report
      const told = { stage: own, endToEnd: endToEndNanos, bundleWait: bundleWaitNanos, hiccup: hiccupNanos }[hop]
      const circles = (text as string).matchAll(/cy="([\d.-]+)" r="2.5" data-share="([\d.]+)" data-nanos="(\d+)"/g)
      return [...circles].map(([, cy, share, nanos]) => {
        const expected = { 0.5: told?.p50, 0.9: told?.p90, 0.99: told?.p99, 0.999: told?.p999 }[Number(share)]
        expect([stage, hop, share, Number(nanos)]).toEqual([stage, hop, share, expected])
        return { y: Number(cy), log: Math.log10(Number(nanos)) }
      })
    })
    expect(marks.length).toBeGreaterThan(20)
    const [low, high] = [
      marks.reduce((a, b) => (a.log < b.log ? a : b)),
      marks.reduce((a, b) => (a.log > b.log ? a : b)),
    ]
    const slope = (high.y - low.y) / (high.log - low.log)
    for (const { y, log } of marks) expect(Math.abs(low.y + slope * (log - low.log) - y)).toBeLessThan(0.2)
  })

  test('draws throughput and fill over time, each on a scale of its own', () => {
    const { elapsedNanos, stages, edges } = json.history
    const rates = stages.map(({ in: taken }) =>
      taken.map((n, i) => (n - (taken[i - 1] ?? 0)) / ((elapsedNanos[i] as number) - (elapsedNanos[i - 1] ?? 0))),
    )
    const charts = [...page.matchAll(/data-column="([^"]*)".*?<path class="line" d="M[^V]*([^"]*)"/gs)]
    const wanted = [
      ...stages.map((_, i) => [`history.stages.${i}.in`, rates[i], Math.max(...(rates[i] as number[]))] as const),
      ...edges.map((edge, i) => {
        return [`history.edges.${i}.inFlight`, edge.inFlight, json.report.edges[i]?.highWater as number] as const
      }),
    ]
    expect(charts.map(([, path]) => path)).toEqual(wanted.map(([path]) => path))
    for (const [i, [, , line]] of charts.entries()) {
      const drawn = [...(line as string).matchAll(/V([\d.]+)H/g)].map(([, y]) => Number(y))
      const [, values, most] = wanted[i] as (typeof wanted)[number]
      expect(drawn).toHaveLength(elapsedNanos.length)
      for (const [at, y] of drawn.entries()) expect(y).toBeCloseTo(84 - (66 * (values?.[at] as number)) / most, 0)
    }
  })

  test('of a graph with two ends draws both, and tells their sum once', async () => {
    const trades = pipeline('graph')
      .from(poisson({ perSecond: 50_000, count: 2_000, seed: 1 }))
      .trades()
    const run = await trades
      .tee((branch) => branch.to(count('one')))
      .to(count('two'))
      .start()
    const report = await history(run).done()
    const text = renderReport(report)
    expect(report.histograms.filter(({ hop }) => hop === 'endToEnd').map(({ stage }) => stage)).toEqual(['one', 'two'])
    for (const end of ['one', 'two']) expect(text).toContain(`>end to end (${end})</text>`)
    expect(text.match(/<th scope="row">end to end<\/th>/g)).toHaveLength(1)
    expect(text).toContain(`data-path="report.endToEndNanos.count" data-value="${report.report.endToEndNanos?.count}"`)
  })

  test('of a run without metrics has its accounts and no latencies', async () => {
    const report = await history(await watched(2_000).start({ metrics: false })).done()
    const text = renderReport(report)
    expect(report.histograms).toEqual([])
    expect([text.includes('id="latency"'), text.includes('id="accounts"')]).toEqual([false, true])
    expect(text).not.toMatch(/NaN|Infinity|undefined/)
    expect(page).not.toMatch(/NaN|Infinity|undefined/)
  })
})

describe('on top of the page', () => {
  /** The tile of this name: what it says, its note, and how it is marked. */
  const tile = (report: RunReport, name: string) => {
    const [, verdict, text = ''] =
      new RegExp(`<dt>${name}</dt><dd class="(\\w*)">(.*?)</dd>`).exec(renderReport(report)) ?? []
    return verdict === undefined ? undefined : [text.replaceAll(/<[^>]*>/g, '|').replaceAll(/\|+/g, '|'), verdict]
  }

  test('stands what was lost, and that nothing was', () => {
    const { stages, edges } = json.report
    const lost = (errors: number, dropped: number) => {
      const refused = stages.map((stage, i) => (i < 2 ? { ...stage, errors } : stage))
      const lossy = edges.map((edge, i) => (i === 1 ? { ...edge, dropped } : edge))
      return tile({ ...json, report: { ...json.report, stages: refused, edges: lossy } }, 'lost')
    }
    expect(lost(0, 0)).toEqual(['nothing|no errors, none dropped|', 'good'])
    expect(lost(0, 12)).toEqual(['12 dropped', 'bad'])
    expect(lost(1_000, 12)).toEqual(['12 dropped|2,000 errors|', 'bad'])
    expect(tile({ ...json, report: { ...json.report, gaps: 1 } }, 'lost')).toEqual(['1 gap', 'bad'])
  })

  test('stands the busiest stage, and of books only where there are some', () => {
    const { stages } = json.report
    const busy = stages.map((stage, i) => ({ ...stage, busy: i === 2 ? 0.5 : 0.25 }))
    const loaded = { ...json, report: { ...json.report, stages: busy } }
    expect(tile(loaded, 'busiest stage')).toEqual([`|50.0 %|${stages[2]?.name}|`, ''])
    expect([tile(json, 'book'), tile(json, 'gaps')]).not.toContain(undefined)
    const bookless = { ...json, report: { ...json.report, books: [] } }
    expect([tile(bookless, 'book'), tile(bookless, 'gaps')]).toEqual([undefined, undefined])
    expect(tile({ ...bookless, report: { ...bookless.report, leftOut: 3 } }, 'gaps')?.[0]).toContain('3 messages')
  })
})

describe('of a run that did not come to its end', () => {
  const validate = new Ajv2020().compile(JSON.parse(readFileSync(join(root, 'docs/report.schema.json'), 'utf8')))

  test('the report says why, and has what was counted until then', async () => {
    function* trades() {
      for (let n = 1; n < 10; n++) yield n
      throw new Error('<b>the well</b> is dry')
    }
    const failing = await pipeline('dry').from(fromIterable(u32, trades())).to(count()).start()
    const recorded = history(failing)
    expect((await rejected(recorded.done())).code).toBe('VELOX_STAGE_FAILED')
    const failed = JSON.parse(JSON.stringify(await recorded.settled())) as RunReport
    expect(validate(failed), JSON.stringify(validate.errors)).toBe(true)
    const message = 'the stage iterable failed: <b>the well</b> is dry'
    expect(failed.failure).toEqual({ code: 'VELOX_STAGE_FAILED', stage: 'iterable', message })
    expect(renderReport(failed)).toContain('data-value="the stage iterable failed: &lt;b&gt;the well&lt;/b&gt; is dry"')

    const run = await watched().start()
    const aborted = history(run, { everyMillis: 5 })
    for await (const { stages } of run.stats({ everyMillis: 5 })) if ((stages[0]?.in ?? 0) > 0) run.abort('enough')
    const { failure, report } = await aborted.settled()
    expect(failure).toEqual({ code: 'VELOX_RUN_ABORTED', message: expect.stringContaining('enough') })
    expect(report.stages[0]?.in).toBeGreaterThan(0)
  })

  test('a run that did has no failure', async () => {
    expect(json).not.toHaveProperty('failure')
    const run = await watched().start()
    void run.stop()
    expect(await history(run).settled()).not.toHaveProperty('failure')
    expect(page).not.toContain('did not come to its end')
  })
})

describe('what it can not do it says', () => {
  test('another ending, a folder that there is not, what is no run', async () => {
    const refusal = async (path: string) => {
      const { code, message } = await rejected(writeReport(path, json))
      return [code, message]
    }
    expect(await refusal(join(folder, 'out.pdf'))).toEqual([
      'VELOX_INVALID_VALUE',
      expect.stringContaining('expected a file that ends in .html or .json'),
    ])
    expect(await refusal(join(folder, 'none/out.html'))).toEqual(['VELOX_FILE_UNWRITABLE', expect.anything()])
    expect(() => renderReport({ ...json, version: 2 } as never)).toThrow(
      'report: expected what done() of a history gave, of version 1, got one of version 2',
    )
    expect((await rejected(writeReport(files.json, {} as never))).code).toBe('VELOX_INVALID_VALUE')
    expect(() => history({} as never)).toThrow('run: expected what start() of a pipeline gave')
    const run = await watched().start()
    expect(() => history(run, { everyMillis: 0 })).toThrow('everyMillis')
    const recorded = history(run)
    run.abort('enough')
    expect((await rejected(recorded.done())).code).toBe('VELOX_RUN_ABORTED')
  })
})

/** Run in the page. What its text is written in against what it stands on, by WCAG 2's ratio: the least of all. */
const LEAST_CONTRAST = `(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((n) => n / 255).map((n) => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at)
      if (!/, 0\\)$/.test(backgroundColor)) return backgroundColor
    }
  }
  return Math.min(...[...document.querySelectorAll('h1,h2,p,dt,dd,small,li,th,td,figcaption span,svg text')].map((element) => {
    const style = getComputedStyle(element)
    const [a, b] = [light(element.closest('svg') ? style.fill : style.color), light(ground(element))]
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
  }))
})()`

describe.skipIf(!chromium)('in Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(chromium as string)
  })
  afterAll(() => browser?.close())

  const views = [1280, 390].flatMap((width) => (['light', 'dark'] as const).map((theme) => ({ width, theme })))
  test.each(views)('$width px wide and $theme it is legible and says what the JSON says', async ({ width, theme }) => {
    const view = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: theme })
    const asked: string[] = []
    const said: string[] = []
    view.on('request', (request) => asked.push(request.url()))
    view.on('console', (message) => said.push(message.text()))
    view.on('dialog', (dialog) => said.push(dialog.message()))
    await view.goto(pathToFileURL(files.html).href)
    expect(await view.title()).toBe(`${IMAGE}: report of a run`)
    expect(await view.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    const data =
      (await view.evaluate(`[...document.querySelectorAll('td[data-path],data[data-path]')].map((element) => ({
      path: element.dataset.path, value: element.dataset.value, text: element.textContent }))`)) as Datum[]
    expect(expectFigures(data)).toEqual(expect.arrayContaining(accounts()))
    const charts = `[...document.querySelectorAll('svg')].map((svg) => svg.getBoundingClientRect()).filter(({ width }) => width > 0)`
    const drawn = json.history.stages.length + json.history.edges.length + 1
    expect(await view.evaluate(`${charts}.length`)).toBe(drawn)
    expect(await view.evaluate(`Math.max(...${charts}.map(({ right }) => right))`)).toBeLessThanOrEqual(width)
    const cut = `[...document.querySelectorAll('.scroll')].filter((table) => table.scrollWidth > table.clientWidth).length`
    expect(await view.evaluate(cut), 'no number lies beyond an edge').toBe(0)
    expect(await view.evaluate(LEAST_CONTRAST)).toBeGreaterThanOrEqual(4.5)
    const ground = (await view.evaluate('getComputedStyle(document.body).backgroundColor')) as string
    expect(Number(ground.match(/\d+/)?.[0]) > 128).toBe(theme === 'light')
    expect([asked, said]).toEqual([[pathToFileURL(files.html).href], []])
    await view.close()
  })
})
