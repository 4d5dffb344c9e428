/** Keeps the number of updaters in managedFields small: the oldest of a version become one entry. */
import { compareTexts, managerId, secondsOf, type ManagedFields, type Ownership } from './managed-fields.ts'

/** Upstream's limit; appliers do not count, they have to know what they own. */
export const UPDATE_MANAGERS_MAX = 10
const COLLECTIVE_NAME = 'ancient-changes'

export function capUpdateManagers(managed: ManagedFields): void {
  const updaters = [...managed].filter(([, { operation }]) => operation === 'Update')
  let count = updaters.length
  if (count <= UPDATE_MANAGERS_MAX) return
  updaters.sort(
    ([leftId, left], [rightId, right]) => secondsOf(left.time) - secondsOf(right.time) || compareTexts(leftId, rightId),
  )
  const firstOfVersion = new Map<string, string>()
  for (const [id, owner] of updaters) {
    if (count <= UPDATE_MANAGERS_MAX) return
    const first = firstOfVersion.get(owner.apiVersion)
    if (first === undefined) firstOfVersion.set(owner.apiVersion, id)
    else {
      joinCollective(managed, first, id)
      count--
    }
  }
}

/** The collective entry takes the fields of both, and the time of the younger. */
function joinCollective(managed: ManagedFields, first: string, id: string): void {
  const owner = managed.get(id)!
  const bucket: Ownership = { ...owner, name: COLLECTIVE_NAME, subresource: '' }
  const bucketId = managerId(bucket)
  let collected = managed.get(bucketId)
  if (collected === undefined) {
    collected = managed.get(first)!
    managed.delete(first)
  }
  managed.delete(id)
  managed.set(bucketId, { ...bucket, set: owner.set.union(collected.set) })
}
