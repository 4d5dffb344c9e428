/** The refusal of a patch whose result is no object of the kind, in upstream's words. */
import { StatusError } from '#machinery/status-error.ts'

/** 422 that names the patch, and no kind. */
export function invalidPatch(value: string, why: string): StatusError {
  const message = `Invalid value: ${JSON.stringify(value)}: ${why}`
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: ` "" is invalid: patch: ${message}`,
    details: { causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }] },
  })
}

/** A value as Go prints it: `map[a:1 b:[x y]]`. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const members = value as Record<string, unknown>
  return `map[${Object.keys(members)
    .toSorted()
    .map((name) => `${name}:${goText(members[name])}`)
    .join(' ')}]`
}

/** JSON as Go writes it of a map: by name, on the first level. */
export function sortedText(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value)
  return JSON.stringify(Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))))
}
