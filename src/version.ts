import { readFileSync } from 'node:fs'
import { DIST } from './place.js'

/** This package's version: its binary has the same, or is another's. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', DIST), 'utf8')) as { version: string }
).version
