import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

/** What the tests use of playwright-core: its own types need those of a page, which nothing else here has. */
export interface View {
  on(event: 'request', heard: (request: { url(): string }) => void): void
  on(event: 'console', heard: (message: { text(): string }) => void): void
  on(event: 'dialog', heard: (dialog: { message(): string }) => void): void
  goto(url: string): Promise<unknown>
  title(): Promise<string>
  /** Text that the page evaluates. */
  evaluate(code: string): Promise<unknown>
  close(): Promise<void>
}
export interface Browser {
  newPage(o: { viewport: { width: number; height: number }; colorScheme: 'light' | 'dark' }): Promise<View>
  close(): Promise<void>
}
interface Playwright {
  readonly chromium: { launch(o: { executablePath: string; args: string[] }): Promise<Browser> }
}

/** The Chromium of this machine; undefined where there is none, said aloud. */
export const chromium: string | undefined = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find((path) => existsSync(path))
if (!chromium) console.warn('SKIPPED: there is no chromium: nobody looks at the page')

export function launch(executablePath: string): Promise<Browser> {
  const playwright = createRequire(import.meta.url)('playwright-core') as Playwright
  return playwright.chromium.launch({ executablePath, args: ['--no-sandbox'] })
}
