/** Tells in the status of objects that this server only stores that nothing will come of them. */
import type { InertCondition, KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Client } from '#client/client.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isConflict, isNotFound } from '#machinery/status-error.ts'
import type { ObjectFeeds } from '../authorization/object-feeds.ts'
import { formatSeconds } from './object-writer.ts'

type Condition = { readonly type: string }
type WithConditions = KubernetesObject & { readonly status?: { readonly conditions?: readonly Condition[] } }

export type InertConditionsOptions = { readonly client: Client; readonly clock: Clock; readonly log: Logger }

/** Follows the objects of all such kinds; call before the feeds start. */
export function followInertKinds(
  kinds: readonly KindDefinition[],
  feeds: Pick<ObjectFeeds, 'follow'>,
  { client, clock, log }: InertConditionsOptions,
): void {
  for (const kind of kinds) {
    if (kind.inert?.conditions === undefined || kind.conversion !== undefined) continue
    feeds.follow(kind, {
      set: (object) => {
        const told = withInertConditions(kind, object, formatSeconds(clock.now()))
        if (told === null) return
        client.updateStatus(kind, told).catch((error: unknown) => {
          // A newer version comes by the feed, or the object is gone.
          if (!isConflict(error) && !isNotFound(error)) log.warn('status could not be told', { error: String(error) })
        })
      },
      drop: () => {},
    })
  }
}

/** Null when there is nothing to add: conditions that somebody has set are left as they are. */
export function withInertConditions(
  { inert }: Pick<KindDefinition, 'inert'>,
  object: KubernetesObject,
  now: string,
): KubernetesObject | null {
  if (inert === undefined || inert.warning(object) === null) return null
  const { status } = object as WithConditions
  const existing = status?.conditions ?? []
  const isMissing = ({ type }: InertCondition): boolean => !existing.some((condition) => condition.type === type)
  const missing = (inert.conditions ?? []).filter(isMissing)
  if (missing.length === 0) return null
  const added = missing.map((condition) => ({ ...condition, lastTransitionTime: now }))
  return { ...object, status: { ...status, conditions: [...existing, ...added] } } as KubernetesObject
}
