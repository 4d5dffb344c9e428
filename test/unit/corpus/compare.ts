/** Compares what a kind's rules gave with what a real API server answered. */
import { isDeepStrictEqual } from 'node:util'
import type { Outcome } from './replay.ts'
import type { Answer } from './scenarios.ts'

/** `text`: only human-readable texts differ. */
export type Verdict = 'equal' | 'text' | 'differs'

export type Comparison = { readonly verdict: Verdict; readonly details: readonly string[] }

/** What the registry and field ownership write; the rules of a kind do not. */
const NOT_COMPARED = ['managedFields', 'resourceVersion', 'uid', 'creationTimestamp', 'name']

type Json = Record<string, unknown>

export function compare(outcome: Outcome, answer: Answer): Comparison {
  const expected = answer.b ?? {}
  if (outcome.code !== answer.code) {
    const got = `got ${outcome.code} ${summary(outcome.body)}`
    return { verdict: 'differs', details: [`expected ${answer.code} ${summary(expected)}`, got] }
  }
  const details =
    outcome.code < 300
      ? differences(clean(expected), clean(outcome.body), '')
      : statusDifferences(expected, outcome.body)
  if (details.length > 0) return { verdict: 'differs', details }
  const texts = [...textDifferences(expected, outcome.body), ...warningDifferences(answer, outcome)]
  return { verdict: texts.length === 0 ? 'equal' : 'text', details: texts }
}

function clean(object: Json): Json {
  const metadata = { ...(object['metadata'] as Json) }
  for (const field of NOT_COMPARED) delete metadata[field]
  return object['kind'] === 'Service' ? withoutAllocations({ ...object, metadata }) : { ...object, metadata }
}

/** Which address and port an allocator hands out is no rule of the kind. */
function withoutAllocations(service: Json): Json {
  const text = JSON.stringify(service)
    .replaceAll(/"10\.96\.0\.\d+"/g, '"10.96.0.1"')
    .replaceAll(/odePort":3\d{4}/g, 'odePort":30000')
  return JSON.parse(text) as Json
}

function summary(body: Json): string {
  return body['kind'] === 'Status' ? String(body['message']).slice(0, 600) : 'an object'
}

function differences(expected: unknown, actual: unknown, path: string): string[] {
  if (isDeepStrictEqual(expected, actual)) return []
  if (!isNode(expected) || !isNode(actual) || Array.isArray(expected) !== Array.isArray(actual))
    return [`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`]
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)])
  return [...names].flatMap((name) => differences(expected[name], actual[name], path === '' ? name : `${path}.${name}`))
}

function isNode(value: unknown): value is Json {
  return typeof value === 'object' && value !== null
}

type Cause = { readonly field?: string; readonly reason?: string; readonly message?: string }

function causesOf(body: Json): Cause[] {
  return ((body['details'] as Json | undefined)?.['causes'] as Cause[] | undefined) ?? []
}

function statusDifferences(expected: Json, actual: Json): string[] {
  const list = (body: Json): string[] =>
    causesOf(body)
      .map(({ field, reason }) => `${field}: ${reason}`)
      .toSorted()
  const [want, got] = [list(expected), list(actual)]
  const details: string[] = []
  if (expected['reason'] !== actual['reason']) details.push(`reason: ${expected['reason']}, got ${actual['reason']}`)
  if (isDeepStrictEqual(want, got)) return details
  const spare = [...got]
  for (const cause of want) {
    const position = spare.indexOf(cause)
    if (position === -1) details.push(`missing ${cause}  (${summary(expected)})`)
    else spare.splice(position, 1)
  }
  return [...details, ...spare.map((cause) => `too many ${cause}  (${summary(expected)} / ${summary(actual)})`)]
}

function textDifferences(expected: Json, actual: Json): string[] {
  if (expected['kind'] !== 'Status') return []
  const texts = (body: Json): string[] => {
    const causes = causesOf(body)
    return causes.length === 0
      ? [String(body['message'])]
      : causes.map(({ field, message }) => `${field}: ${message}`).toSorted()
  }
  const [want, got] = [texts(expected), texts(actual)]
  return want.flatMap((text, i) => (text === got[i] ? [] : [`expected ${text}`, `     got ${got[i]}`]))
}

function warningDifferences(answer: Answer, outcome: Outcome): string[] {
  const header = answer.h?.['Warning'] ?? []
  const want = (Array.isArray(header) ? header : [header]).map(textOfWarning).toSorted()
  const got = [...outcome.warnings].toSorted()
  if (isDeepStrictEqual(want, got)) return []
  return [`warnings: expected ${JSON.stringify(want)}`, `warnings:      got ${JSON.stringify(got)}`]
}

/** `299 - "text"`. */
function textOfWarning(header: string): string {
  const quoted = header.slice(header.indexOf('"'))
  try {
    return JSON.parse(quoted) as string
  } catch {
    return quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1')
  }
}
