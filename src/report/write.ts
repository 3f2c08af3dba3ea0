import { existsSync } from 'node:fs'
import { open, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { writeReport as Face } from '../../metrics.js'
import { checkString, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { checkReport, renderReport } from './page.js'

export const writeReport: typeof Face = async (to, report) => {
  const path = to instanceof URL ? fileURLToPath(to) : checkString('path', to)
  const [ending] = /\.(html|json)$/.exec(path) ?? []
  if (ending === undefined) refuse('path', 'a file that ends in .html or .json', path)
  const text = ending === '.html' ? renderReport(report) : `${JSON.stringify(checkReport(report))}\n`
  await writing(path, () => writeFile(path, text))
}

/** A report that can't be written is told before the run, and what is there is left until there is a report. */
export function checkWritable(path: string): Promise<void> {
  return writing(path, async () => {
    const isNew = !existsSync(path)
    await (await open(path, 'a')).close()
    if (isNew) await rm(path)
  })
}

async function writing(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const { message } = error as Error
    throw new VeloxError('VELOX_FILE_UNWRITABLE', { path, reason: message }, { cause: error })
  }
}
