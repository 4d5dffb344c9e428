/** Table cells of events. */
import type { Event } from '#api/core/v1.gen.ts'
import { formatAge } from '#api/table-cells.ts'

export function eventCells(event: Event, nowMs: number): unknown[] {
  const first = formatAge(event.firstTimestamp || event.eventTime, nowMs)
  return [
    lastSeen(event, first, nowMs),
    event.type ?? '',
    event.reason ?? '',
    objectCell(event),
    event.involvedObject.fieldPath ?? '',
    sourceCell(event),
    (event.message ?? '').trim(),
    first,
    event.series?.count ?? (event.count || 1),
    event.metadata.name,
  ]
}

function lastSeen(event: Event, first: string, nowMs: number): string {
  if (event.series !== undefined) return formatAge(event.series.lastObservedTime, nowMs)
  return event.lastTimestamp ? formatAge(event.lastTimestamp, nowMs) : first
}

function objectCell({ involvedObject }: Event): string {
  const kind = (involvedObject.kind ?? '').toLowerCase()
  return involvedObject.name ? `${kind}/${involvedObject.name}` : kind
}

function sourceCell({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || ''
  const instance = source?.host || reportingInstance || ''
  return instance === '' ? component : `${component}, ${instance}`
}
