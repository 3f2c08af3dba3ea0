/** Until `isSo` holds, looked at every few milliseconds; throws after `ms`. */
export async function until(isSo: () => boolean, ms = 60_000): Promise<void> {
  const endMs = Date.now() + ms
  while (!isSo()) {
    if (Date.now() > endMs) throw new Error(`not so within ${ms} ms: ${isSo}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
