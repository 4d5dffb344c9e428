/** Changes of an object that exists: by PUT, by each kind of patch, by server-side apply. */
import type { Body } from '../fuzz/objects.ts'
import type { Place } from '../fuzz/mutate.ts'
import { mutated, type Step, type Subject } from './subject.ts'

const MERGE = 'application/merge-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
const APPLY = 'application/apply-patch+yaml'

export function changeSteps(subject: Subject): Step[] {
  const count = 1 + subject.dice.below(2)
  return Array.from({ length: count }, () => changeStep(subject))
}

function changeStep(subject: Subject): Step {
  const { dice, path } = subject
  const way = dice.weighted({ update: 5, merge: 1, strategic: 2, json: 2, apply: 2 })
  const query = new URLSearchParams()
  if (dice.chance(0.5)) query.set('dryRun', 'All')
  if (dice.chance(0.2)) query.set('fieldValidation', dice.pick(['Strict', 'Ignore', 'Warn']))
  if (dice.chance(0.3)) query.set('fieldManager', dice.pick(['m1', 'm2']))
  const change = { update, merge, strategic, json, apply }[way](subject, query)
  const search = query.toString()
  return { ...change, what: way, path: `${path}${search === '' ? '' : `?${search}`}` }
}

type Change = Omit<Step, 'what' | 'path'>

function update(subject: Subject): Change {
  const { body } = mutated(subject)
  const metadata = body['metadata'] as Body | undefined
  if (metadata !== null && typeof metadata === 'object' && subject.dice.chance(0.85))
    metadata['resourceVersion'] = '@RV@'
  return { method: 'PUT', body }
}

function merge(subject: Subject): Change {
  const { body, places } = mutated(subject)
  return patch(MERGE, partsOf(body, places, false))
}

function strategic(subject: Subject): Change {
  const { body, places } = mutated(subject)
  const part = partsOf(body, places, true)
  if (subject.dice.chance(0.15)) addDirective(part, subject)
  return patch(STRATEGIC, part)
}

/** What strategic patches say beside values. */
function addDirective(part: Body, { dice }: Subject): void {
  const objects: Body[] = []
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return
    if (!Array.isArray(value)) objects.push(value as Body)
    for (const item of Object.values(value)) visit(item)
  }
  visit(part)
  const target = dice.pick(objects)
  if (target === undefined) return
  const key = dice.pick(Object.keys(target)) ?? 'x'
  const [name, value] = dice.pick<[string, unknown]>([
    ['$patch', 'delete'],
    ['$patch', 'replace'],
    ['$patch', 'merge'],
    ['$patch', 'x'],
    [`$setElementOrder/${key}`, Array.isArray(target[key]) ? target[key] : ['a']],
    [`$deleteFromPrimitiveList/${key}`, ['a', 'example.com/f']],
    ['$retainKeys', [key]],
    ['$retainKeys', 'x'],
  ])
  target[name] = structuredClone(value)
}

function json(subject: Subject): Change {
  const { dice } = subject
  const { places } = mutated(subject)
  const operations = places.map((place) => operationOf(place, subject))
  if (dice.chance(0.2))
    operations.push({ op: dice.pick(['copy', 'move']), from: pointerOf(places[0]), path: '/metadata/labels' })
  return patch(JSON_PATCH, operations)
}

function operationOf({ parent, key, path }: Place, { dice }: Subject): Body {
  const pointer = dice.chance(0.05)
    ? dice.pick(['', '/', 'x', '/spec/~2', '/no/such', '/metadata/labels/-'])
    : `/${path.map(escape).join('/')}`
  if (!(key in parent)) return { op: dice.pick(['remove', 'test']), path: pointer, value: null }
  return { op: dice.pick(['add', 'replace', 'add', 'test']), path: pointer, value: structuredClone(parent[key]) }
}

function pointerOf(place: Place | undefined): string {
  return place === undefined ? '/metadata' : `/${place.path.map(escape).join('/')}`
}

function escape(key: string | number): string {
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1')
}

function apply(subject: Subject, query: URLSearchParams): Change {
  const { dice } = subject
  const { body } = mutated(subject)
  if (!dice.chance(0.05)) query.set('fieldManager', dice.pick(['m1', 'm2', 'kubets-test']))
  if (dice.chance(0.6)) query.set('force', 'true')
  return patch(APPLY, body)
}

function patch(type: string, body: unknown): Change {
  return { method: 'PATCH', body, headers: { 'content-type': type } }
}

/** Only what changed: whole lists, or of each list the items that changed. */
function partsOf(body: Body, places: readonly Place[], singleItems: boolean): Body {
  const part: Body = {}
  for (const { path } of places) copyPath(body, part, { path, singleItems })
  return part
}

type CopyOptions = { readonly path: readonly (string | number)[]; readonly singleItems: boolean }

function copyPath(from: Body, to: Body, { path, singleItems }: CopyOptions): void {
  const [key, ...rest] = path as [string, ...(string | number)[]]
  const value = from[key]
  if (value === undefined) to[key] = null
  else if (rest.length === 0 || value === null || typeof value !== 'object') to[key] = structuredClone(value)
  else if (Array.isArray(value)) {
    const item: unknown = value[Number(rest[0])]
    to[key] = structuredClone(singleItems && item !== undefined ? [item] : value)
  } else {
    const inner = to[key] !== null && typeof to[key] === 'object' && !Array.isArray(to[key]) ? (to[key] as Body) : {}
    to[key] = inner
    copyPath(value as Body, inner, { path: rest, singleItems })
  }
}
