/** A module that may not be there yet; says loudly what is left out. */
export async function optional(path, what) {
  try {
    return await import(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : error
    console.error(`SKIPPED: ${what}: ${reason}`)
    return undefined
  }
}
