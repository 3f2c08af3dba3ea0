// The starter project. Its types are all inferred, so that the same text is TypeScript and JavaScript.

const pipeline = (x: string) => `// Large trades of a recorded market: declared here, run natively.
import { L2Book, pipeline, replay, sample } from 'velox-engine'
import largeTrades from './large-trades.${x}'

export default () => {
  const market = replay(sample.btcusdt) // real Binance data that comes with the package; a path of yours does as well
  const book = new L2Book({ instrument: market.instrument() })
  return pipeline('starter')
    .from(market)
    .book(book, { verify: 'quotes' }) // held to the exchange's own best bid and ask
    .trades()
    .stage(largeTrades, { params: { least: 1000 } }) // in lots: 1.000 BTC
}
`

const stage = () => `// A stage of your own: it runs in the loop of the native ones, and reads each batch in place.
import { defineStage, Trade } from 'velox-engine'

export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { least: 5 },
  open: ({ params }) => ({
    poll(batch, out) {
      for (let i = 0; i < batch.length; i++) out.keep(i, batch.qty(i) >= params.least)
      return undefined
    },
  }),
})
`

const test = (x: string) => `import assert from 'node:assert/strict'
import { test } from 'node:test'
import make from './pipeline.${x}'

test('only large trades pass, and they are in order', async () => {
  const trades = await make().toArray()
  assert.ok(trades.length > 0)
  assert.ok(trades.every(({ qty }) => qty >= 1000))
  assert.ok(trades.every(({ id }, i) => i === 0 || id > trades[i - 1].id))
})
`

const tsconfig = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
  },
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/**
 * The project's files by name. `x` is the ending of its modules: `ts`, `js`, or `mts`, `mjs` in a package of CommonJS.
 */
export function filesOf(x: string, version: string): ReadonlyMap<string, string> {
  const isTyped = x.endsWith('ts')
  const manifest = {
    private: true,
    type: 'module',
    scripts: {
      start: `velox run pipeline.${x}`,
      test: 'node --test',
      ...(isTyped && { check: 'tsc' }),
    },
    dependencies: { 'velox-engine': `^${version}` },
    // For editors and `npm run check`: nothing of it is needed to run.
    ...(isTyped && { devDependencies: { '@types/node': '^22', typescript: '^5.9' } }),
  }
  return new Map([
    ['package.json', json(manifest)],
    [`pipeline.${x}`, pipeline(x)],
    [`large-trades.${x}`, stage()],
    [`pipeline.test.${x}`, test(x)],
    ...(isTyped ? ([['tsconfig.json', json(tsconfig)]] as const) : []),
    ['.gitignore', 'node_modules\n'],
  ])
}
