/** How strategic merge patch merges lists: by merge key or by value, and the order of the result. */
import { goFormat, goTypeOf, isJsonObject, type JsonObject } from './json-value.ts'
import { patchFailure, unprocessablePatch } from './patch-failure.ts'

const DIRECTIVE = '$patch'

export type ListRules = {
  /** The list merges; otherwise a patch replaces it. */
  readonly merges: boolean
  /** Empty for lists of scalars. */
  readonly mergeKey: string
  mergeItems(current: JsonObject, change: JsonObject): JsonObject
}

/** Merges `change` into `current`; with `isDeletion` removes the values of `change` from a list of scalars. */
export function mergeLists(current: unknown[], change: unknown[], rules: ListRules, isDeletion: boolean): unknown[] {
  if (current.length === 0 && change.length === 0) return current
  const { mergeKey } = rules
  if (elementType(current, change) !== 'map[string]interface {}') {
    if (isDeletion) return current.filter((item) => !change.includes(item))
    const merged = withoutDuplicates([...current, ...change])
    return inOrder(merged, change, current, identity, mergeKey)
  }
  if (mergeKey === '') throw patchFailure('cannot merge lists without merge key for struct')
  const { items, changes } = followItemDirectives(current as JsonObject[], change as JsonObject[], mergeKey)
  const merged = mergeByKey(items, changes, rules)
  return inOrder(merged, changes, items, keyOf(mergeKey), mergeKey)
}

export type OrderedMerge = {
  readonly order: unknown[]
  readonly current: unknown[]
  readonly change: unknown[]
  readonly found: { readonly current: boolean; readonly change: boolean }
  readonly rules: ListRules
  withoutDirectives(list: unknown[]): unknown[]
}

/** The merged list in the order that `$setElementOrder` asks for; null: there is no list at all. */
export function orderList({ order, current, change, found, rules, withoutDirectives }: OrderedMerge): unknown[] | null {
  checkOrder(change, order, rules.mergeKey)
  if (!found.current && !found.change) return null
  const type = elementType(current, change)
  let merged = current
  if (found.change) {
    if (!found.current) merged = withoutDirectives(change)
    else merged = rules.merges ? mergeLists(current, change, rules, false) : change
  }
  const identify = type === 'map[string]interface {}' ? keyOf(rules.mergeKey) : identity
  return inOrder(merged, order, current, identify, rules.mergeKey)
}

/** The items of the patch have to stand in the order that the directive names. */
function checkOrder(change: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (order.length === 0 || change.length === 0) return
  const items = mergeKey === '' ? change : change.filter((item) => !isDeletion(asMap(item)))
  let next = 0
  for (let position = 0; next < items.length && position < order.length;) {
    const item = items[next]
    if (isJsonObject(item) && Object.hasOwn(item, DIRECTIVE)) next++
    else {
      if (isSameItem(item, order[position], mergeKey)) next++
      position++
    }
  }
  if (next < items.length)
    throw patchFailure(
      `The order in patch list:\n${goFormat(change)}\n doesn't match $setElementOrder list:\n${goFormat(order)}\n`,
    )
}

function isSameItem(left: unknown, right: unknown, mergeKey: string): boolean {
  if (mergeKey === '') return left === right
  return requiredKey(asMap(left), mergeKey) === requiredKey(asMap(right), mergeKey)
}

const isDeletion = (item: JsonObject): boolean => item[DIRECTIVE] === 'delete'

/** `{$patch: delete}` and `{$patch: replace}` among the items. */
function followItemDirectives(
  current: JsonObject[],
  change: readonly JsonObject[],
  mergeKey: string,
): { items: JsonObject[]; changes: JsonObject[] } {
  const changes: JsonObject[] = []
  let items = current
  let replaces = false
  for (const item of change) {
    if (!Object.hasOwn(item, DIRECTIVE)) changes.push(item)
    else if (item[DIRECTIVE] === 'delete') {
      const key = requiredKey(item, mergeKey)
      items = items.filter((candidate) => candidate[mergeKey] !== key)
    } else if (item[DIRECTIVE] === 'replace') replaces = true
    else if (item[DIRECTIVE] === 'merge') throw patchFailure('merging lists cannot yet be specified in the patch')
    else throw patchFailure(`unknown patch type: ${goFormat(item[DIRECTIVE])} in map: ${goFormat(item)}`)
  }
  return replaces ? { items: changes, changes: [] } : { items, changes }
}

function mergeByKey(items: readonly JsonObject[], changes: readonly JsonObject[], rules: ListRules): JsonObject[] {
  const merged = [...items]
  const positions = firstPositions(merged, keyOf(rules.mergeKey))
  for (const change of changes) {
    const key = requiredKey(change, rules.mergeKey)
    const position = positions.get(key)
    if (position === undefined) {
      positions.set(key, merged.length)
      merged.push(change)
    } else merged[position] = rules.mergeItems(merged[position]!, change)
  }
  return merged
}

type Identify = (item: unknown) => unknown

const identity: Identify = (item) => item

const keyOf =
  (mergeKey: string): Identify =>
  (item) =>
    isJsonObject(item) ? item[mergeKey] : undefined

function firstPositions(list: readonly unknown[], identify: Identify): Map<unknown, number> {
  const positions = new Map<unknown, number>()
  for (const [position, item] of list.entries())
    if (!positions.has(identify(item))) positions.set(identify(item), position)
  return positions
}

/**
 * The items that the patch names in the patch's order, the others in the server's, woven together by the server's order
 * where it knows both.
 */
function inOrder(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  identify: Identify,
  mergeKey: string,
): unknown[] {
  if (identify !== identity) for (const item of [...merged, ...patchOrder]) requiredKey(asMap(item), mergeKey)
  const patchPositions = firstPositions(patchOrder, identify)
  const serverPositions = firstPositions(serverOrder, identify)
  const named = merged.filter((item) => patchPositions.has(identify(item)))
  const others = merged.filter((item) => !patchPositions.has(identify(item)))
  return weave(
    sortByPosition(others, serverPositions, identify),
    sortByPosition(named, patchPositions, identify),
    (item) => serverPositions.get(identify(item)),
  )
}

/** Stable; items without a position come first. */
function sortByPosition(items: readonly unknown[], positions: Map<unknown, number>, identify: Identify): unknown[] {
  const at = (item: unknown): number => positions.get(identify(item)) ?? -1
  return items.toSorted((left, right) => at(left) - at(right))
}

function weave(
  left: readonly unknown[],
  right: readonly unknown[],
  positionOf: (item: unknown) => number | undefined,
): unknown[] {
  const woven: unknown[] = []
  let taken = 0
  for (const item of right) {
    const position = positionOf(item)
    while (taken < left.length && position !== undefined) {
      const other = positionOf(left[taken])
      if (other === undefined || other >= position) break
      woven.push(left[taken++])
    }
    woven.push(item)
  }
  return [...woven, ...left.slice(taken)]
}

/** Upstream fills the place of each duplicate with the last item. */
function withoutDuplicates(list: unknown[]): unknown[] {
  const seen = new Set<unknown>()
  if (list.every((item) => !seen.has(item) && seen.add(item))) return list
  const items = [...list]
  let last = items.length - 1
  for (let position = 0; position < last; position++)
    for (let other = position + 1; other <= last; other++)
      if (items[position] === items[other]) {
        items[other] = items[last]
        items.length = last
        last--
        other--
      }
  return items
}

/** The one Go type of all items of both lists. */
function elementType(current: readonly unknown[], change: readonly unknown[]): string {
  let found: string | undefined
  for (const item of [...current, ...change]) {
    const type = goTypeOf(item)
    if (found === undefined && type === '[]interface {}') throw unprocessablePatch()
    if (found !== undefined && found !== type)
      throw patchFailure(`list element types are not identical: [${goFormat(current)} ${goFormat(change)}]`)
    found = type
  }
  if (found === undefined) throw patchFailure('no elements in any of the given slices')
  return found
}

function asMap(item: unknown): JsonObject {
  if (isJsonObject(item)) return item
  throw patchFailure(`expected a map[string]interface {}, but received a ${goTypeOf(item)}`)
}

function requiredKey(item: JsonObject, mergeKey: string): unknown {
  if (Object.hasOwn(item, mergeKey)) return item[mergeKey]
  throw patchFailure(`map: ${goFormat(item)} does not contain declared merge key: ${mergeKey}`)
}
