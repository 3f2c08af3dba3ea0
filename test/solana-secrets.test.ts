// No secret is ever printed: all that a submitter which knows some writes, under faults, is searched for them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getAddressDecoder } from '@solana/kit'
import { expect, test } from 'vitest'
import { node, root } from './support/node.js'
import { startCluster } from './support/solana/index.js'
import { asKeyFile, keyFile, pairBytes, tells, tellsText } from './support/solana-key.js'
import { freshJournal } from './support/submitter.js'

const SECRETS = {
  query: 'rpc-query-9f8e7d6c5b4a',
  path: 'rpc-path-0a1b2c3d4e5f',
  socket: 'ws-query-1029384756af',
  header: 'Bearer header-5647382910cd',
  password: 'pass-word-a1b2c3d4e5',
  auth: '3c8b8e0a-1111-4222-8333-1234567890ab',
}

test.each(['rpc', 'jito'])('by %s', async (way) => {
  await using cluster = await startCluster({ slotMillis: 50, jitoPerSecond: 100, jitoAuth: { [SECRETS.auth]: 100 } })
  const pair = pairBytes()
  cluster.fund(getAddressDecoder().decode(pair.subarray(32)), 10_000_000_000n)
  const journal = freshJournal()
  const withPassword = (url: string) => url.replace('://', `://me:${SECRETS.password}@`)
  const rpc = {
    url: `${cluster.url}/${SECRETS.path}?api-key=${SECRETS.query}`,
    ws: `${cluster.wsUrl}/?api-key=${SECRETS.socket}`,
    perSecond: 1_000,
    timeoutMillis: 500,
    headers: { authorization: SECRETS.header },
  }
  const jito = { url: cluster.region().url, perSecond: 100, timeoutMillis: 500, auth: SECRETS.auth }
  const refused = [
    { rpc: withPassword(rpc.url) },
    { rpc: { ...rpc, ws: withPassword(rpc.ws) } },
    { rpc: { ...rpc, headers: { authorization: `${SECRETS.header}\n` } } },
    { rpc: { ...rpc, key: SECRETS.query } },
    { jito: { ...jito, url: withPassword(jito.url) } },
    { jito: { ...jito, auth: `${SECRETS.auth}\n` } },
  ]
  const method = way === 'rpc' ? 'sendTransaction' : 'sendBundle'
  // Servers that repeat what they were told, word for word.
  const told = Object.values(SECRETS).filter((secret) => secret !== SECRETS.password && secret !== SECRETS.socket)
  const own = way === 'rpc' ? told.filter((secret) => secret !== SECRETS.auth) : [SECRETS.auth]
  cluster.faults.add({ kind: 'rpcError', method, code: -32602, message: `no: ${own.join()}`, data: own, next: 3 })
  for (const kind of ['tooMany', 'unavailable', 'hang', 'resetMidBody', 'replyLost'] as const)
    cluster.faults.add({ kind, method, next: 2 })
  for (const kind of ['unavailable', 'resetMidBody'] as const) cluster.faults.add({ kind, probability: 0.05 })
  const options = { rpc, journal, ...(way === 'jito' && { jito }) }
  const o = { refused, options, keyFile: keyFile(asKeyFile(pair)), count: 20 }
  const dropping = setInterval(() => cluster.node().dropWebSockets(), 300)
  const { status, stdout, stderr } = await node([join(root, 'test/support/secrets-child.mjs'), JSON.stringify(o)])
  clearInterval(dropping)

  expect(stderr).toContain('VELOX_SUBMITTER_CLOSED')
  expect(status).toBe(1)
  for (const word of ["'landed'", "'failed'", "'sent'", 'VELOX_RPC_FAILED', 'no: ***', 'spentLamports'])
    expect(stdout).toContain(word)
  const written = Object.entries({ stdout, stderr, journal: readFileSync(journal, 'latin1') })
  expect(written[2]?.[1]).toContain('"kind":"built"')
  for (const file of [`${journal}.lock`, `${journal}.old`])
    if (existsSync(file)) written.push([file, readFileSync(file, 'latin1')])
  for (const [name, text] of written) {
    expect([name, tells(text, pair)]).toEqual([name, false])
    for (const [secret, value] of Object.entries(SECRETS))
      expect([name, secret, tellsText(text, value)]).toEqual([name, secret, false])
  }
})

test('the search finds a secret in each form that it may have', () => {
  const pair = pairBytes()
  expect(tells(`x ${asKeyFile(pair)} x`, pair)).toBe(true)
  const secret = SECRETS.password
  const bytes = Buffer.from(secret)
  const forms = [
    secret,
    bytes.toString('hex'),
    bytes.toString('base64'),
    JSON.stringify([...bytes]),
    ...['', 'm', 'me', 'me:'].map((name) => Buffer.from(`${name}${secret}`).toString('base64')),
  ]
  for (const form of forms) expect([form, tellsText(`x ${form} x`, secret)]).toEqual([form, true])
  expect(tellsText('x', secret)).toBe(false)
})
