// Makes docs/errors.md of the table of codes in src/errors/codes.ts: each with a sentence as it is told, what its context has, and
// what to do. With --check it only says whether the page is up to date. `npx tsc -p .` first.
import { readFileSync, writeFileSync } from 'node:fs'
import { MESSAGES } from '../dist/errors/codes.js'
import { words } from '../dist/errors/describe.js'

const PAGE = new URL('../docs/errors.md', import.meta.url)

/** By code: a context for its sentence, and what to do. */
const ADVICE = {
  VELOX_INVALID_CAPACITY: [
    { capacity: 1000 },
    'Take the next power of two: 1,024. A ring masks its index instead of dividing it.',
  ],
  VELOX_INVALID_VALUE: [
    { field: 'threads', expected: 'a whole number, 1 to 1024', got: 0 },
    'The sentence names the field and what it takes. For a condition that was made and not used it means `&&`: write `a.and(b)`.',
  ],
  VELOX_UNSAFE_INTEGER: [
    { field: 'id' },
    'Read the field as `u64.big`, which gives a bigint, or a time by `batch.time.micros(i)`.',
  ],
  VELOX_UNKNOWN_OPTION: [
    { option: 'timeoutMicro', known: ['max', 'timeoutMicros'] },
    'A typo is never a default: take one of those that are named.',
  ],
  VELOX_UNKNOWN_FIELD: [
    { record: 'Trade', field: 'quantity', known: ['id', 'price', 'qty'] },
    'Take one of the fields that are named.',
  ],
  VELOX_TYPE_MISMATCH: [
    { op: 'gt', expected: 'a number beside a number', got: 'an enumeration' },
    'Compare like with like; `toF64()` says where integers become fractions.',
  ],
  VELOX_RECORD_INVALID: [
    { record: 'Transaction', field: 'side', expected: '0 or 1', got: 7 },
    'Somebody wrote bytes into the shared memory that are no such record. It stays there; `drain(() => {}, 1)` skips it.',
  ],
  VELOX_RING_OWNED: [
    { side: 'producer', by: 'another handle' },
    'A ring has one producer and one consumer. `release(side)` on the handle that has it gives it up, as the end of its worker does; a ' +
      'worker that was stopped by `terminate()` keeps it, and the ring has to be made anew. One that a call or a batch of this handle ' +
      'holds: read the batch that `drain` or the loop over `batches()` gave, not the ring.',
  ],
  VELOX_RING_CLOSED: [{ ring: 'a ring of Tick' }, 'The other side has called `close()`: read what is left, and end.'],
  VELOX_RING_CORRUPT: [
    { ring: 'a ring of Tick', expected: 'at most 1024 records in it', got: 4_294_967_296 },
    'A script wrote over the header of a shared ring. Make a new one, and look for who has the SharedArrayBuffer.',
  ],
  VELOX_RING_MISMATCH: [
    { expected: 'a ring of Tick', got: 'a ring of Trade' },
    'Attach with the type that the ring was made with: the same fields in the same order.',
  ],
  VELOX_STALE_BATCH: [
    { ring: 'a ring of Tick' },
    'A batch is memory that is used again: read it inside its callback, or keep `batch.toArray()`.',
  ],
  VELOX_BOOK_CONTENDED: [
    { attempts: 20 },
    'Other writers held the price for about 5 ms. Nothing was applied: try again.',
  ],
  VELOX_BOOK_OWNED: [
    { by: 'the run four-stage' },
    'An `L2Book` has one writer. `release()` gives that up; a run gives it up when it ends. Where many write, take `OrderBook`.',
  ],
  VELOX_FILE_NOT_FOUND: [
    { path: '/data/day.gz' },
    'A path is seen from where the process was started, not from the module: use `new URL(…, import.meta.url)`.',
  ],
  VELOX_FILE_UNREADABLE: [
    { path: '/data/day.gz', reason: 'permission denied' },
    'The reason is the system’s own. A pipe can’t be replayed: a file is opened twice.',
  ],
  VELOX_FILE_UNWRITABLE: [
    { path: '/data/out.csv', reason: 'no space left on device' },
    'The reason is the system’s own. A file that the same pipeline replays is refused too.',
  ],
  VELOX_CORRUPT_DATA: [
    { path: 'day.gz', line: 4711, expected: 'a message of binance-usdm', got: '{"e":"dep' },
    'The file is damaged from there on, or of another format than was said. What is before was right.',
  ],
  VELOX_TLS_UNTRUSTED: [
    { host: 'stream.example.com', reason: 'an issuer that is unknown' },
    'The system must trust the certificate: install your proxy’s own, or name it by `SSL_CERT_FILE`.',
  ],
  VELOX_LIVE_REFUSED: [
    { url: 'wss://stream.example.com/ws', status: 403, reason: 'Forbidden' },
    'The venue doesn’t serve this address or region. It is tried again only where there was a connection before.',
  ],
  VELOX_PORT_UNAVAILABLE: [
    { host: '127.0.0.1', port: 9464, reason: 'address in use' },
    'Take another port, or 0 for any that is free.',
  ],
  VELOX_METRICS_REFUSED: [
    {
      path: '/dev/shm/velox-engine-1000/1',
      reason: 'stale',
      message: 'process 4711 of /dev/shm/velox-engine-1000/1 is gone',
    },
    'The engine has ended, or is of another version than this `velox top`.',
  ],
  VELOX_BAD_MESSAGE: [
    { venue: 'kraken', expected: 'a list of levels', got: '{}' },
    'Nothing was applied. Give the venue’s messages as they came.',
  ],
  VELOX_UNKNOWN_SYMBOL: [
    { symbol: 'ETHUSDT', known: ['BTCUSDT'] },
    'Take one of those that the source has, as the venue writes it.',
  ],
  VELOX_UNKNOWN_FORMAT: [
    { format: 'csv', known: ['binance', 'velox'] },
    'Name the format of the file, or leave it out: the first bytes tell.',
  ],
  VELOX_PLACEMENT_INVALID: [
    { expected: 'every stage on one thread', got: 'trades on none' },
    'A list of threads names every stage once, those that look at a book on the book’s thread; `explain()` shows the names.',
  ],
  VELOX_LIMIT_REACHED: [
    { limit: 'lamports a day', max: 1_000_000_000, got: 1_000_005_000 },
    'A limit that you set would be passed. Nothing was sent: raise it where that is meant.',
  ],
  VELOX_SUBMITTER_HALTED: [
    { reason: 'a bundle was split' },
    'It sends nothing more until somebody has looked: see the reason, then make a new one.',
  ],
  VELOX_SUBMITTER_CLOSED: [{ open: 2 }, 'It was closed: what was on its way is in its journal.'],
  VELOX_READER_BEHIND: [{ lost: 12 }, 'Read outcomes as they come; what was missed is in the journal.'],
  VELOX_JOURNAL_LOCKED: [
    { path: 'sent.journal', by: 'process 4711' },
    'A journal has one submitter: end the other one, or take another file.',
  ],
  VELOX_KEY_REFUSED: [
    { source: 'wallet.json', expected: '64 numbers from 0 to 255', got: 'an object' },
    'Give the key as the tools of Solana write it. No error ever tells a part of the key.',
  ],
  VELOX_TEMPLATE_INVALID: [
    { field: 'holes', expected: 'fields of the record', got: 'amount' },
    'The sentence names the field of the template and what it takes.',
  ],
  VELOX_HOLE_OVERFLOW: [
    { hole: 'amount', record: 3, expected: 'at most 4294967295', got: 5_000_000_000 },
    'The value doesn’t fit the bytes that the template has for it: declare a wider one.',
  ],
  VELOX_TRANSACTION_TOO_LONG: [
    { records: 40, bytes: 1500, most: 1232, fits: 31 },
    'Put as many records into one transaction as fit.',
  ],
  VELOX_TRANSACTION_FAILED: [
    { signature: '5VER…', reason: 'InstructionError' },
    'It landed and was not executed: the reason is the chain’s own.',
  ],
  VELOX_BUNDLE_SPLIT: [
    { bundleId: 'b1', landed: ['5VER…'], missing: ['2xQ9…'] },
    'Only a part landed, which the block engine rules out: look at both before anything more is sent.',
  ],
  VELOX_RPC_FAILED: [
    { url: 'http://127.0.0.1:8899', method: 'getLatestBlockhash', reason: 'no answer', status: 503, rpcCode: -32005 },
    'The reason is the server’s own.',
  ],
  VELOX_PEER_MISSING: [
    { peer: '@solana/kit', reason: 'Cannot find package' },
    'Install the package that is named: it is optional.',
  ],
  VELOX_STAGE_FAILED: [{ stage: 'risk check' }, 'The `cause` is what the stage threw, with its class and stack.'],
  VELOX_RUN_ABORTED: [
    { reason: 'abort()' },
    'The run was ended by `abort()` or by `signal`. `stop()` ends one so that all that is on the way arrives.',
  ],
  VELOX_NATIVE_PANIC: [
    { message: 'index out of bounds' },
    'This is a bug of velox-engine: please report it, with the message and what led to it.',
  ],
  VELOX_NATIVE_MISSING: [
    {
      platform: 'linux-x64-gnu',
      libc: '2.36',
      tried: ["Cannot find module 'velox-engine-linux-x64-gnu'"],
      install: 'Run: npm install velox-engine-linux-x64-gnu@0.1.0',
    },
    'The line at the end installs it. `--omit=optional`, or a `node_modules` of another system, leaves it out ([where it runs](runtimes.md)); a binary of another version than the package is told by both versions. A bundle must leave the package out ([ship it](ship-it.md)).',
  ],
}

const codes = Object.keys(MESSAGES)
const missing = codes.filter((code) => !(code in ADVICE))
if (missing.length > 0) throw new Error(`what to do is not said for ${missing.join(', ')}`)

/** What stands in a context as words in real errors. */
const shown = (context) => ({ ...context, ...(typeof context.got === 'string' && { got: words(context.got) }) })
const section = (code) => {
  const [context, advice] = ADVICE[code]
  const fields = Object.keys(context).map((field) => `\`${field}\``)
  return `## ${code}\n\n> ${MESSAGES[code](shown(context))}\n\n${advice}\n\nContext: ${fields.join(', ')}.\n`
}
const page = `# Errors

Every error is a \`VeloxError\` with a \`code\`, which never changes, a \`context\` by that code, and a sentence that says what was expected and
what came. A code is known to the compiler:

\`\`\`ts file=caught.ts
import { RingBuffer, u32, VeloxError } from 'velox-engine'

try {
  new RingBuffer(u32, 1000)
} catch (error) {
  if (!(error instanceof VeloxError && error.code === 'VELOX_INVALID_CAPACITY')) throw error
  console.error(error.context.capacity)
}
\`\`\`

A thrown error means that nothing was done: a batch is not half applied, a transaction not half added. What a stage throws fails its run
with \`VELOX_STAGE_FAILED\`, and never the process.

${codes.map(section).join('\n')}`

if (process.argv[2] === '--check') {
  const isSame = readFileSync(PAGE, 'utf8') === page
  if (!isSame) console.error('velox-engine: docs/errors.md is not what the codes say: node scripts/errors-page.mjs')
  process.exitCode = isSame ? 0 : 1
} else writeFileSync(PAGE, page)
