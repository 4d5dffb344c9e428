/** Events of events.k8s.io/v1 are the core events under newer field names: both directions. */
import type { Event as CoreEvent } from '#api/core/v1.gen.ts'
import type { Event } from '#api/events/v1.gen.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

/** New name -> name in core v1; the other fields are the same. */
const RENAMED: readonly (readonly [keyof Event, keyof CoreEvent])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
]

export function toCoreEvent(event: Event): CoreEvent {
  const converted: Record<string, unknown> = { ...event, apiVersion: 'v1', kind: 'Event' }
  for (const [name, coreName] of RENAMED) move(converted, name, coreName)
  converted['involvedObject'] ??= {}
  return converted as unknown as CoreEvent
}

export function fromCoreEvent(event: KubernetesObject): Event {
  const converted: Record<string, unknown> = { ...event, apiVersion: 'events.k8s.io/v1', kind: 'Event' }
  for (const [name, coreName] of RENAMED) move(converted, coreName, name)
  return converted as unknown as Event
}

function move(object: Record<string, unknown>, from: string, to: string): void {
  if (object[from] !== undefined) object[to] = object[from]
  delete object[from]
}
