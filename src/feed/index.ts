export { Feed } from './feed.js'
export { live } from './live.js'
export { venues } from './venues.js'
