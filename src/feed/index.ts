export { Feed } from './feed.js'
export { venues } from './venues.js'
