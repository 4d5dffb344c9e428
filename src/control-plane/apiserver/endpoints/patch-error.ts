/** The refusal of a patch whose result is no object of the kind, in upstream's words. */
import { type GoNode, writeGoJson } from '#api/go-values/go-json.ts'
import { plainNode } from '#api/go-values/go-value.ts'
import type { Patch } from './patch-body.ts'
import { quote } from '#machinery/quote.ts'
import { StatusError } from '#machinery/status-error.ts'

/** 422 that names the patch, and no kind. */
export function invalidPatch(value: string, why: string): StatusError {
  const message = `Invalid value: ${quote(value)}: ${why}`
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: ` "" is invalid: patch: ${message}`,
    details: { causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }] },
  })
}

/** A value as Go prints it: `map[a:1 b:[x y]]`. */
function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const members = value as Record<string, unknown>
  return `map[${Object.keys(members)
    .toSorted()
    .map((name) => `${name}:${goText(members[name])}`)
    .join(' ')}]`
}

/** What a refusal shows: a strategic merge patch itself, or what another patch has made. */
export function shownPatch({ type, body }: Pick<Patch, 'type' | 'body'>, patched: unknown): string {
  if (type === 'strategic') return goText(body)
  return patchedText(patched, type === 'json' ? touchedByJsonPatch(body) : body)
}

/**
 * A patched object as Go writes it: what the patch went through was read into maps, which come by name; the rest stays as it was.
 * `touched` has the patch's own form, or that of its paths.
 */
function patchedText(value: unknown, touched: unknown): string {
  return writeGoJson(patchedNode(value, touched))
}

function patchedNode(value: unknown, touched: unknown): GoNode {
  if (typeof value !== 'object' || value === null || typeof touched !== 'object' || touched === null)
    return plainNode(value)
  const places = touched as Readonly<Record<string, unknown>>
  if (Array.isArray(value)) return value.map((item, i) => patchedNode(item, places[i]))
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return new Map(entries.map(([name, item]) => [name, patchedNode(item, places[name])]))
}

/** The places that the operations of a JSON patch go through: `/spec/replicas` -> the object itself and its spec. */
function touchedByJsonPatch(operations: unknown): unknown {
  const root: Record<string, unknown> = {}
  for (const { path, from } of Array.isArray(operations) ? (operations as { path?: unknown; from?: unknown }[]) : [])
    for (const pointer of [path, from]) {
      if (typeof pointer !== 'string') continue
      let place = root
      for (const step of pointer.split('/').slice(1, -1))
        place = (place[step.replaceAll('~1', '/').replaceAll('~0', '~')] ??= {}) as Record<string, unknown>
    }
  return root
}
