/** What happened to an object, under the newer field names; stored as core v1 Event. */
import { eventKind } from '#api/core/event/kind.ts'
import { eventCells } from '#api/core/event/table.ts'
import { validateEvent, validateEventUpdate } from '#api/core/event/validation.ts'
import type { Event } from '#api/events/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { fromCoreEvent, toCoreEvent } from './conversion.ts'

export const eventsEventKind = defineKind<Event>('events.k8s.io/v1/events', {
  allowPlainFinalizers: true,
  strategy: {
    allowCreateOnUpdate: true,
    validate: (event) => validateEvent(toCoreEvent(event), 'events'),
    validateUpdate: (event, old) => validateEventUpdate(toCoreEvent(event), toCoreEvent(old), 'events'),
  },
  row: (event, nowMs) => eventCells(toCoreEvent(event), nowMs),
  selectableFields: {
    'regarding.apiVersion': (event) => event.regarding?.apiVersion ?? '',
    'regarding.fieldPath': (event) => event.regarding?.fieldPath ?? '',
    'regarding.kind': (event) => event.regarding?.kind ?? '',
    'regarding.name': (event) => event.regarding?.name ?? '',
    'regarding.namespace': (event) => event.regarding?.namespace ?? '',
    'regarding.resourceVersion': (event) => event.regarding?.resourceVersion ?? '',
    'regarding.uid': (event) => event.regarding?.uid ?? '',
    reason: (event) => event.reason ?? '',
    reportingController: (event) => event.reportingController ?? '',
    type: (event) => event.type ?? '',
  },
  conversion: {
    storedAs: eventKind,
    toStored: toCoreEvent,
    fromStored: fromCoreEvent,
  },
})
