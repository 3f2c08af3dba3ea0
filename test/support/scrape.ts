import { spawnSync } from 'node:child_process'
import { request } from 'node:http'
import { count, L2Book, pipeline, poisson, type Run, type Transaction } from 'velox-engine'
import { expect } from 'vitest'

/** A run of all four stages, with a book, that goes on until it is told to stop. */
export function watched(name: string, records = 10_000_000): Promise<Run<typeof Transaction>> {
  const source = poisson({ perSecond: 20_000, count: records, seed: 1 })
  const book = new L2Book({ instrument: source.instrument() })
  return pipeline(name).from(source).book(book).trades().transactions().to(count('output')).start()
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** Asks as no browser would: any method, any header. */
export function ask(url: string, o: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, ...o }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (more: string) => {
        text += more
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

/** The value of a series, as the text has it. */
export function sample(text: string, series: string): number {
  const line = text.split('\n').find((line) => line.startsWith(`${series} `))
  if (line === undefined) throw new Error(`no ${series} in\n${text}`)
  return Number(line.slice(series.length + 1))
}

/** Whether Debian's package is there, said aloud where it isn't. */
export const hasPrometheus: boolean = ['prometheus', 'promtool'].every(
  (command) => !spawnSync(command, ['--version']).error,
)
if (!hasPrometheus) console.warn('SKIPPED: prometheus is not installed: no real one reads the metrics')

/** What promtool has against a text; the one name that the document fixes is against its rules on units. */
export function complaints(text: string): string[] {
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  const known = 'velox_latency_avg_ns metric names should not contain abbreviated units'
  const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '')
  expect(lines).toContain(known)
  return lines.filter((line) => line !== known)
}
