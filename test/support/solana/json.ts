/** JSON with big integers as plain numbers, as nodes write u64. */
export function json(value: unknown): string {
  const text = JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `\u0001${v}` : v)) ?? 'null'
  return text.replace(/"\\u0001(-?\d+)"/g, '$1')
}
