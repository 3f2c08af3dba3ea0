// Faults put into OrderBook, one at a time, in a copy: its models (crates/velox-book/tests/loom.rs) have to fail for each. A name
// as argument runs those faults that have it in theirs. A fault takes from seconds to the time that all models take.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const MINUTES = 15

/** Name, file, what stands there, what stands there instead. */
const FAULTS = [
  [
    'a raise overlooks that its bit is being cleared',
    'word',
    'seen.has(bit) && seen.clearing() != Some(bit)',
    'seen.has(bit)',
  ],
  ['a raise leaves its own announcement', 'word', 'seen.clearing().filter(|&other| other != bit)', 'seen.clearing()'],
  ['a raise gives up after a lost race', 'word', 'changed |=\n                self.replace', 'return self.replace'],
  [
    'a bit is cleared without an announcement',
    'word',
    'seen.next(seen.mask(), Some(bit))',
    'seen.next(seen.mask() & !(1 << bit), None)',
  ],
  [
    'an announced bit is cleared without another look',
    'word',
    'Some(cleared) if is_dead(cleared) =>',
    'Some(cleared) if cleared < 32 =>',
  ],
  ['a word has no version', 'word', 'wrapping_add(1) << VERSION', 'wrapping_add(0) << VERSION'],
  [
    'a word is replaced without a comparison',
    'word',
    'self.0.compare_exchange(seen.0, next.0, Ordering::SeqCst, Ordering::SeqCst).is_ok()',
    '{ self.0.swap(next.0, Ordering::SeqCst); seen != next }',
  ],
  ['a level at 0 counts as one', 'node', 'self.qty(tick) <= 0', 'self.qty(tick) < 0'],
  [
    'a quantity is read and written in two steps',
    'node',
    'self.quantities[tick as usize % TICKS].swap(qty, Ordering::SeqCst)',
    '{ let old = self.qty(tick); self.quantities[tick as usize % TICKS].store(qty, Ordering::SeqCst); old }',
  ],
  [
    'a quantity is replaced without a comparison',
    'node',
    'cell.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()',
    '{ cell.swap(new, Ordering::SeqCst); old != i64::MIN }',
  ],
  [
    'a doubt about a live tick is not ended',
    'node',
    'self.lower(tick);\n        } else {\n            self.word.raise(tick);',
    'self.lower(tick);',
  ],
  [
    'a doubt about a live child is not ended',
    'node',
    'self.lower(digit);\n        } else {\n            self.word.raise(digit);',
    'self.lower(digit);',
  ],
  ['an empty child counts as a full one', 'node', 'child.word().load().mask() == 0', 'child.word().load().mask() == 1'],
  [
    'words on the way are not looked at again',
    'tree',
    'if seen[..=depth].iter().all(same)',
    'if seen[..=depth].iter().all(|_| depth > 0)',
  ],
  [
    "the leaf's word is not looked at again",
    'tree',
    'seen[..=depth].iter().all(same)',
    'seen[..depth].iter().all(same)',
  ],
  [
    "the root's word is not looked at again",
    'tree',
    'seen[..=depth].iter().all(same)',
    'seen[1..=depth].iter().all(same)',
  ],
  [
    'words between root and leaf are not looked at again',
    'tree',
    'seen[..=depth].iter().all(same)',
    '[seen[0], seen[depth]].iter().all(same)',
  ],
  ['a reader takes a tick that is being cleared', 'tree', '|| word.clearing() == Some(tick)', ''],
  ['a reader takes a child that is being cleared', 'tree', '.filter(|_| word.clearing() != Some(bit))', ''],
  ['a reader takes a tick with nothing', 'tree', 'leaf.qty(tick) <= 0 ||', 'leaf.qty(tick) < 0 ||'],
  [
    'bits are raised from the top down',
    'tree',
    'let mut changed = self.leaf.word.raise(self.tick);\n        for (inner, digit) in self.inner.iter().rev() {\n            changed |= inner.word.raise(*digit);\n        }',
    'let mut changed = false;\n        for (inner, digit) in self.inner.iter() {\n            changed |= inner.word.raise(*digit);\n        }\n        changed |= self.leaf.word.raise(self.tick);',
  ],
  [
    'only the bits of the leaf are raised',
    'tree',
    'changed |= inner.word.raise(*digit);',
    'changed |= inner.word.load() == Seen::default() && inner.word.raise(*digit);',
  ],
  [
    'raising ends at the first bit that was set',
    'tree',
    'changed |= inner.word.raise(*digit);',
    'if !inner.word.raise(*digit) {\n                break;\n            }\n            changed = true;',
  ],
  [
    'a level that is seen is not shown to others',
    'tree',
    'if qty > 0 {\n            self.show();',
    'if qty < 0 {\n            self.show();',
  ],
  ['a level that has one already is not shown', 'tree', 'if new > 0 {', 'if new > 0 && old <= 0 {'],
  ['a level that goes is not retracted', 'tree', '} else if old > 0 {', '} else if old > i64::MAX - 1 {'],
]

const only = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'velox-faults-'))
for (const path of ['Cargo.toml', 'Cargo.lock', 'crates', 'test/document']) {
  cpSync(join(root, path), join(folder, path), { recursive: true, filter: (from) => !/\/(target|fuzz)$/.test(from) })
}
const env = { ...process.env, RUSTFLAGS: '--cfg loom', CARGO_TARGET_DIR: join(folder, 'target') }
const cargo = (args) =>
  spawnSync('cargo', ['test', '--release', '--quiet', '-p', 'velox-book', '--test', 'loom', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env,
    timeout: MINUTES * 60_000,
  })

function verdict({ status, signal, stdout }) {
  if (signal) return `no end within ${MINUTES} minutes`
  if (status === 0) return 'NOT CAUGHT'
  const failed = [...stdout.matchAll(/^ {4}(\w+)$/gm)].map(([, name]) => name)
  return failed.length > 0
    ? `caught by ${[...new Set(failed)].length} models`
    : 'caught: a model does not come to its end'
}

let missed = 0
try {
  for (const [name, file, from, to] of FAULTS.filter(([name]) => only.every((part) => name.includes(part)))) {
    const path = join(folder, `crates/velox-book/src/order_book/${file}.rs`)
    const source = readFileSync(path, 'utf8')
    if (source.split(from).length !== 2) throw new Error(`${name}: ${file}.rs has not one place for it`)
    writeFileSync(
      path,
      source.replace(from, () => to),
    )
    const built = cargo(['--no-run'])
    if (built.status !== 0) throw new Error(`${name}: ${built.stderr}`)
    const start = Date.now()
    const found = verdict(cargo([]))
    missed += found === 'NOT CAUGHT' ? 1 : 0
    console.log(`${name}: ${found} (${((Date.now() - start) / 1000).toFixed(0)} s)`)
    writeFileSync(path, source)
  }
} finally {
  rmSync(folder, { recursive: true })
}
if (missed > 0) console.error(`velox-engine: ${missed} faults of OrderBook pass its models`)
process.exitCode = missed > 0 ? 1 : 0
