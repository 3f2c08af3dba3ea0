export { history } from '../report/history.js'
export { renderReport } from '../report/page.js'
export { writeReport } from '../report/write.js'
