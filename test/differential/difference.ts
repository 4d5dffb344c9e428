/** What differs between two answers, as short lines that are the same for the same mistake. */
import type { Answer } from './server.ts'
import type { Normalizer } from './normalize.ts'

/** Told to those who make objects that this server only stores. */
const OUR_WARNINGS = /"this server stores /

type Fields = Record<string, unknown>
type Cause = { readonly reason?: string; readonly field?: string; readonly message?: string }

/** `theirs` is right. */
export function differencesOf(
  theirs: Answer,
  ours: Answer,
  normalizers: { theirs: Normalizer; ours: Normalizer },
): string[] {
  const right = parsed(theirs, normalizers.theirs)
  const wrong = parsed(ours, normalizers.ours)
  const lines: string[] = []
  if (theirs.code !== ours.code)
    lines.push(`code ${theirs.code} not ${ours.code}${reasonOf(theirs.code < 400 ? wrong : right)}`)
  else if (isStatus(right) && isStatus(wrong)) compareStatus(right, wrong, lines)
  else compareValues(right, wrong, '', lines)
  compareSets(
    theirs.warnings.map(plain),
    ours.warnings.filter((text) => !OUR_WARNINGS.test(text)).map(plain),
    'warning',
    lines,
  )
  if (theirs.type !== ours.type) lines.push(`content-type ${theirs.type} not ${ours.type}`)
  return lines
}

function parsed({ text }: Answer, normalizer: Normalizer): unknown {
  try {
    return normalizer.value(JSON.parse(text))
  } catch {
    return text
  }
}

function isStatus(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && (value as Fields)['kind'] === 'Status'
}

function reasonOf(status: unknown): string {
  if (!isStatus(status)) return ''
  const causes = causesOf(status)
  return causes.length === 0 ? ` ${plain(String(status['message']))}` : ` ${causes.slice(0, 3).map(lineOf).join(' | ')}`
}

function compareStatus(right: Fields, wrong: Fields, lines: string[]): void {
  const before = lines.length
  compareSets(causesOf(right).map(lineOf), causesOf(wrong).map(lineOf), 'cause', lines)
  for (const key of ['reason', 'status'] as const)
    if (right[key] !== wrong[key]) lines.push(`${key} ${String(right[key])} not ${String(wrong[key])}`)
  const { causes: _right, ...details } = (right['details'] ?? {}) as Fields
  const { causes: _wrong, ...ourDetails } = (wrong['details'] ?? {}) as Fields
  compareValues(details, ourDetails, 'details', lines)
  if (lines.length === before && sortedMessage(right) !== sortedMessage(wrong))
    lines.push(`message ${plain(String(right['message']))}\n      not ${plain(String(wrong['message']))}`)
}

/** Many errors come in any order. */
function sortedMessage(status: Fields): string {
  return plain(String(status['message'])).replace(/[[\]]/g, '').split(/, |: /).toSorted().join()
}

function causesOf(status: Fields): Cause[] {
  return ((status['details'] as Fields | undefined)?.['causes'] ?? []) as Cause[]
}

function lineOf({ reason = '', field = '', message = '' }: Cause): string {
  return `${reason} ${plain(field)}: ${plain(message)}`
}

/** Without what differs from object to object: names, values, Go's own way to print structures. */
function plain(text: string): string {
  return text
    .replace(/\n[^]*$/, '')
    .replace(/\[\d+\]/g, '[]')
    .replace(/\b[rt][0-9a-f]{4}x\d+/g, 'N')
    .replace(
      /\b(Invalid value|Duplicate value|Forbidden value|Internal error): (?:[{[]|(?:core|v1|\w+)\.\w+\{|map\[|&)[^]*[}\]](: |$)/g,
      '$1$2',
    )
    .replace(
      /\b(Invalid value|Unsupported value|Duplicate value|Too long|Forbidden value): (?:"(?:[^"\\]|\\.)*"|[^:"]*)/g,
      '$1',
    )
}

function compareSets(right: readonly string[], wrong: readonly string[], what: string, lines: string[]): void {
  const left = [...wrong]
  for (const text of right) {
    const at = left.indexOf(text)
    if (at < 0) lines.push(`missing ${what} ${text}`)
    else left.splice(at, 1)
  }
  for (const text of left) lines.push(`extra ${what} ${text}`)
}

function compareValues(right: unknown, wrong: unknown, path: string, lines: string[]): void {
  if (Object.is(right, wrong) || lines.length > 8) return
  if (Array.isArray(right) && Array.isArray(wrong) && right.length === wrong.length) {
    for (const [i, item] of right.entries()) compareValues(item, wrong[i], `${path}[]`, lines)
  } else if (isObject(right) && isObject(wrong)) {
    for (const key of new Set([...Object.keys(right), ...Object.keys(wrong)]))
      compareValues(right[key], wrong[key], `${path}.${plain(key)}`, lines)
  } else lines.push(`${path}: ${short(right)} not ${short(wrong)}`)
}

function isObject(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function short(value: unknown): string {
  return plain((JSON.stringify(value) ?? 'absent').slice(0, 160))
}
