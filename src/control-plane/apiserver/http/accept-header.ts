/** Reads the headers by which clients say what they take, the way upstream's libraries read them. */

export type AcceptClause = {
  readonly type: string
  readonly subtype: string
  readonly parameters: Readonly<Record<string, string>>
  readonly quality: number
}

/** Long lists are sorted by a sort that is not quadratic. */
const INSERTION_SORT_MAX = 12

/** The clauses of an Accept header, best first: a quality of 0 is a low one, and no refusal. */
export function parseAccept(header: string): AcceptClause[] {
  const clauses = header.split(',').flatMap((text) => parseClause(text) ?? [])
  return clauses.length > INSERTION_SORT_MAX ? clauses.toSorted(compare) : insertionSort(clauses)
}

function parseClause(text: string): AcceptClause | null {
  const [range = '', ...rest] = trim(text).split(';')
  const [type = '', subtype, ...more] = range.split('/').map(trim)
  const isWildcard = type === '*' && (subtype === undefined || subtype === '')
  if (more.some((part) => part !== '') || (!isWildcard && (subtype === undefined || subtype === ''))) return null
  const parameters: Record<string, string> = {}
  let quality = 1
  for (const part of rest) {
    const [name = '', value = '', ...tail] = part.split('=')
    if (value === '' || tail.length > 0) continue
    if (trim(name) === 'q') quality = parseQuality(value)
    else parameters[trim(name)] = trim(value)
  }
  return { type, subtype: isWildcard ? '*' : subtype!, parameters, quality }
}

const trim = (text: string): string => text.replace(/^ +| +$/g, '')

const parseQuality = (text: string): number => (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : 0)

/** Upstream's order is not transitive, so that the way of sorting decides what comes first. */
function insertionSort(clauses: AcceptClause[]): AcceptClause[] {
  for (let index = 1; index < clauses.length; index++)
    for (let at = index; at > 0 && isBefore(clauses[at]!, clauses[at - 1]!); at--)
      [clauses[at - 1], clauses[at]] = [clauses[at]!, clauses[at - 1]!]
  return clauses
}

const isBefore = (one: AcceptClause, other: AcceptClause): boolean =>
  one.quality > other.quality ||
  (one.type !== '*' && other.type === '*') ||
  (one.subtype !== '*' && other.subtype === '*')

const compare = (one: AcceptClause, other: AcceptClause): number =>
  other.quality - one.quality || Number(isBefore(other, one)) - Number(isBefore(one, other))

/** Whether one of the clauses, by its type alone, is what a route produces. */
export function acceptsOneOf(header: string | undefined, produced: readonly string[]): boolean {
  return (header || '*/*').split(',').some((clause) => {
    const type = typeOf(clause)
    return type === '*/*' || produced.includes(type)
  })
}

/** Whether a route takes bodies of this type; a request without a type passes where it has no body. */
export function consumesOneOf(contentType: string | undefined, consumed: readonly string[], method: string): boolean {
  if (!contentType) return ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE'].includes(method)
  return contentType.split(',').some((type) => consumed.includes(typeOf(type)))
}

const typeOf = (text: string): string => trim(text.split(';')[0]!)

/** Gzip is used where it is named without a quality. */
export function acceptsGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some((token) => token.trim() === 'gzip')
}
