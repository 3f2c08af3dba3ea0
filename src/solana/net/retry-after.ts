/** What a server may hold a client off for; what is longer is taken for a mistake of the server. */
const MOST_MILLIS = 3_600_000

/**
 * How long a server wants to be left alone: by its header (seconds, or a date), else by its words, as Jito's
 * "Retry after 1606ms"; undefined where it says nothing.
 */
export function retryAfterMillis(header: string | null, text: string, nowMs: number = Date.now()): number | undefined {
  const within = (ms: number) => (Number.isFinite(ms) ? Math.min(MOST_MILLIS, Math.max(0, ms)) : undefined)
  if (header !== null) {
    const seconds = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs
    const told = within(seconds)
    if (told !== undefined) return told
  }
  const [, amount, unit] = /retry after (\d+(?:\.\d+)?) ?(ms|s)\b/i.exec(text) ?? []
  return amount === undefined ? undefined : within(Number(amount) * (unit?.toLowerCase() === 'ms' ? 1 : 1000))
}
