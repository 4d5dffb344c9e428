/** What happened to an object. */
import type { Event } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { eventCells } from './table.ts'
import { validateEvent, validateEventUpdate } from './validation.ts'

export const eventKind = defineKind<Event>('v1/events', {
  // Upstream looks at no more of the name than that it fits into a path.
  nameRule: 'path-segment',
  allowPlainFinalizers: true,
  expires: true,
  strategy: {
    allowCreateOnUpdate: true,
    validate: (event) => validateEvent(event, 'core'),
    validateUpdate: (event, old) => validateEventUpdate(event, old, 'core'),
  },
  row: eventCells,
  selectableFields: {
    'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    'involvedObject.kind': (event) => event.involvedObject.kind ?? '',
    'involvedObject.name': (event) => event.involvedObject.name ?? '',
    'involvedObject.namespace': (event) => event.involvedObject.namespace ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject.resourceVersion ?? '',
    'involvedObject.uid': (event) => event.involvedObject.uid ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    // Older reporters only filled in `source`, newer ones only the reporting controller.
    source: (event) => event.source?.component || event.reportingComponent || '',
    type: (event) => event.type ?? '',
  },
})
