/** Sentences that upstream's validators share: lengths, ranges, and what a pattern expects. */

/** Go measures strings in bytes of UTF-8. */
export const byteLength = (value: string): number => Buffer.byteLength(value)

export const maxLengthText = (length: number): string => `must be no more than ${length} characters`
/** Label keys and values count bytes, and say so. */
export const maxBytesText = (length: number): string => `must be no more than ${length} bytes`
export const EMPTY_TEXT = 'must be non-empty'
export const rangeText = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`

export function patternText(text: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${text} (regex used for validation is '${pattern}')`
  return `${text} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${pattern}')`
}
