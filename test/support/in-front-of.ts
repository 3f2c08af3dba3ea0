import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

/** A server behind which another one is: `change` may make its results others, for as long as the test runs. */
export async function inFrontOf(url: string, change: (method: string, result: unknown) => unknown): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(new URL(request.url ?? '/', url), { method: 'POST', body, headers })
    const said = (await answer.json()) as { result?: unknown }
    if ('result' in said) said.result = change(JSON.parse(body).method, said.result)
    response.end(JSON.stringify(said))
  }).listen(0, '127.0.0.1')
  server.unref()
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
