/** Makes odd objects out of recorded ones: values that are missing, empty, too large or of another form. */
import type { RandomSource } from '#base/random.ts'

type Container = Record<string, unknown>

const VALUES: readonly unknown[] = [
  undefined,
  null,
  {},
  [],
  [{}],
  { a: 'b' },
  '',
  'x',
  'Bad_name!',
  '-5%',
  '1e400',
  '9'.repeat(40),
  'a'.repeat(300),
  -1,
  0,
  2 ** 31,
  true,
]

/** A copy with one or two values replaced. Names stay, so that the object can still be told apart. */
export function mutate(body: Readonly<Container>, random: RandomSource): Container {
  const copy = structuredClone(body)
  const count = random.next() < 0.5 ? 1 : 2
  for (let i = 0; i < count; i++) {
    const [parent, name] = pick(placesIn(copy), random)
    const value = pick(VALUES, random)
    if (value === undefined) delete parent[name]
    else parent[name] = structuredClone(value)
  }
  return copy
}

type Place = readonly [Container, string]

function placesIn(body: Container): Place[] {
  const places: Place[] = []
  for (const [name, value] of Object.entries(body))
    if (!['apiVersion', 'kind', 'metadata'].includes(name)) collect(body, [name, value], places)
  collect(body['metadata'] as Container, ['labels', undefined], places)
  return places
}

function collect(parent: Container, [name, value]: readonly [string, unknown], places: Place[]): void {
  places.push([parent, name])
  if (typeof value !== 'object' || value === null) return
  for (const entry of Object.entries(value)) collect(value as Container, entry, places)
}

function pick<T>(items: readonly T[], random: RandomSource): T {
  return items[Math.floor(random.next() * items.length)]!
}
