import { request } from 'node:http'
import { count, L2Book, pipeline, poisson, type Run, type Transaction } from 'velox-engine'

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
