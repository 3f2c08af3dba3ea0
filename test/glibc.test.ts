// What `scripts/glibc.mjs` reads of a binary: the releases rest on it.
import { expect, test } from 'vitest'
import { isAbove, newestGlibc } from '../scripts/glibc.mjs'

test('versions are compared by their numbers', () => {
  const above = [
    ['2.17', '2.9'],
    ['2.17.1', '2.17'],
    ['3.0', '2.36'],
  ] as const
  for (const [more, less] of above) expect([isAbove(more, less), isAbove(less, more)]).toEqual([true, false])
  expect([isAbove('2.17', '2.17'), isAbove('2.17.0', '2.17')]).toEqual([false, false])
})

test('the newest version among the names of a binary is found, and what only looks like one is not', () => {
  const names = (...all: string[]) => Buffer.from(`\x7fELF\xff\0${all.join('\0')}\0`, 'latin1')
  expect(newestGlibc(names('GLIBC_2.2.5', 'GLIBC_2.17', 'GLIBC_2.9'))).toBe('2.17')
  expect(newestGlibc(names('GLIBC_2.3', 'MY_GLIBC_2.40', 'GLIBC_2.41x', 'GLIBC_PRIVATE', 'GLIBC_2'))).toBe('2.3')
  expect(newestGlibc(names('memcpy', 'libc.musl-x86_64.so.1'))).toBeUndefined()
})
