/** Checks Events: the old API lets nearly everything through, the newer one wants complete and immutable reports. */
import type { Event } from '#api/core/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkQualifiedName } from '#api/validation.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { byteLength } from '#machinery/validation/texts.ts'

const INSTANCE_BYTES_MAX = 128
const ACTION_BYTES_MAX = 128
const REASON_BYTES_MAX = 128
const MESSAGE_BYTES_MAX = 1024
const NAMESPACE_TEXT = 'does not match event.namespace'

/** Which API the request speaks: `v1`, or `events.k8s.io/v1` with the event in its stored form. */
export type EventApi = 'core' | 'events'

export function validateEvent(event: Event, api: EventApi): FieldError[] {
  const errors = legacyErrors(event, api)
  if (api === 'core') return errors
  errors.push(...seriesErrors(event))
  if (!event.eventTime) errors.push(required('eventTime'))
  const { type = '' } = event
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalidValue('type', '', `has invalid value: ${type}`))
  const unset = {
    firstTimestamp: event.firstTimestamp,
    lastTimestamp: event.lastTimestamp,
    count: event.count,
    source: event.source?.component || event.source?.host,
  }
  for (const [field, value] of Object.entries(unset))
    if (value) errors.push(invalidValue(field, '', 'needs to be unset'))
  return errors
}

function legacyErrors(event: Event, api: EventApi): FieldError[] {
  const namespace = event.metadata.namespace ?? ''
  const about = event.involvedObject?.namespace ?? ''
  const errors: FieldError[] = []
  const mismatch = invalidValue('involvedObject.namespace', about, NAMESPACE_TEXT)
  if (!event.eventTime) {
    if (about === '' ? namespace !== '' && namespace !== 'default' : namespace !== about) errors.push(mismatch)
    return errors
  }
  if (about === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(mismatch)
  const controller = api === 'core' ? 'reportingComponent' : 'reportingController'
  if (!event.reportingComponent) errors.push(required(controller))
  checkQualifiedName(errors, controller, event.reportingComponent ?? '')
  checkLength(errors, 'reportingInstance', event.reportingInstance, INSTANCE_BYTES_MAX)
  checkLength(errors, 'action', event.action, ACTION_BYTES_MAX)
  checkLength(errors, 'reason', event.reason, REASON_BYTES_MAX)
  if (byteLength(event.message ?? '') > MESSAGE_BYTES_MAX)
    errors.push(invalidValue('message', '', `can have at most ${MESSAGE_BYTES_MAX} characters`))
  return errors
}

function checkLength(errors: FieldError[], field: string, value = '', max: number): void {
  if (value === '') errors.push(required(field))
  if (byteLength(value) > max) errors.push(invalidValue(field, '', `can have at most ${max} characters`))
}

function seriesErrors({ series }: Event): FieldError[] {
  if (series === undefined) return []
  const errors: FieldError[] = []
  if ((series.count ?? 0) < 2) errors.push(invalidValue('series.count', '', 'should be at least 2'))
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'))
  return errors
}

const IMMUTABLE_FIELDS = [
  ['involvedObject', 'involvedObject'],
  ['reason', 'reason'],
  ['message', 'message'],
  ['source', 'source'],
  ['firstTimestamp', 'firstTimestamp'],
  ['lastTimestamp', 'lastTimestamp'],
  ['count', 'count'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingComponent', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
] as const

export function validateEventUpdate(event: Event, old: Event, api: EventApi): FieldError[] {
  const errors = legacyErrors(event, api)
  if (api === 'core') return errors
  if (!isSemanticallyEqual(event.series, old.series)) errors.push(...seriesErrors(event))
  for (const [field, path] of IMMUTABLE_FIELDS)
    if (!isSame(event[field], old[field])) {
      const shown = typeof old[field] === 'string' ? (event[field] ?? '') : event[field]
      errors.push(invalidValue(path, shown, 'field is immutable'))
    }
  return errors
}

/** Zero values and absent ones are the same. */
function isSame(left: unknown, right: unknown): boolean {
  return isSemanticallyEqual(withoutZeros(left), withoutZeros(right))
}

function withoutZeros(value: unknown): unknown {
  if (value === '' || value === 0 || value === null) return undefined
  if (typeof value !== 'object') return value
  const entries = Object.entries(value as object).filter(([, item]) => item !== '' && item !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}
