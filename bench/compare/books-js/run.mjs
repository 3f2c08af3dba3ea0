// Books in JavaScript beside each other: `npm install` here, `npm run build` in the repository, then `node run.mjs`.
// Prints a line of JSON for each figure and a table for people. ../../../../shared/data holds the captures.

import { decoded } from './decoded.mjs'
import { rawCaptures } from './raw.mjs'

await decoded()
await rawCaptures()
