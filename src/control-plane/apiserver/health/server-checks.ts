/** What must be well in every API server: its store, its caches, what authorization follows, and that it is not about to end. */
import type { Store } from '#control-plane/store/store.ts'
import type { ObjectFeeds } from '../authorization/object-feeds.ts'
import type { ResourceBackend } from '../resource-backend.ts'
import type { Check, HealthChecks } from './health-checks.ts'

export type CheckedParts = {
  readonly store: Store
  readonly feeds: ObjectFeeds
  readonly backend: ResourceBackend
  readonly isDraining: () => boolean
  readonly priorityAndFairness: boolean
}

/** Checks of start hooks pass when the part that does the work of upstream's hook is there. */
const NEEDS_CACHES = [
  // Admission reads what it needs from the caches.
  'poststarthook/start-apiserver-admission-initializer',
  'poststarthook/storage-readiness',
  // Lists are estimated by what the caches hold.
  'poststarthook/storage-object-count-tracker-hook',
]
/** The queues follow their objects. */
const FLOW_CHECKS = [
  'poststarthook/priority-and-fairness-config-consumer',
  'poststarthook/priority-and-fairness-filter',
]

export function addServerChecks(health: HealthChecks, parts: CheckedParts): void {
  const { store, feeds, backend, isDraining } = parts
  const checkStore: Check = async () => void (await store.currentRevision())
  health.add('ping', () => {})
  health.add('log', () => {})
  health.add('etcd', checkStore)
  health.add('etcd-readiness', checkStore, ['readyz'])
  const followed = requireResolved(feeds.synced())
  health.add('informer-sync', followed, ['readyz'])
  health.add('poststarthook/generic-apiserver-start-informers', followed)
  if (parts.priorityAndFairness) for (const name of FLOW_CHECKS) health.add(name, followed)
  const filled = requireResolved(backend.ready())
  for (const name of NEEDS_CACHES) health.add(name, filled)
  const lasting: Check = () => {
    if (isDraining()) throw new Error('process is shutting down')
  }
  health.add('shutdown', lasting, ['readyz'])
}

/** What failed stays failed: the check tells why. */
function requireResolved(work: Promise<void>): Check {
  let problem: unknown = new Error('not finished')
  work.then(
    () => (problem = null),
    (error: unknown) => (problem = error),
  )
  return () => {
    if (problem !== null) throw problem
  }
}
