/** The labels by which requests are told apart in metrics. */
import type { ApiRequest } from '../request.ts'

export type RequestLabels = {
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly scope: string
}

export function labelsOf({ info, method }: ApiRequest): RequestLabels {
  return {
    verb: verbLabel(info.isResourceRequest ? info.verb : method),
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    scope: scopeOf(info),
  }
}

const VERB_LABELS: Readonly<Record<string, string>> = {
  create: 'POST',
  update: 'PUT',
  deletecollection: 'DELETECOLLECTION',
}
const KNOWN_VERBS = new Set([
  'GET',
  'LIST',
  'WATCH',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'DELETECOLLECTION',
  'HEAD',
  'OPTIONS',
  'CONNECT',
])

/** Anything a client makes up is one label, so that it cannot grow the number of series. */
function verbLabel(verb: string): string {
  const label = VERB_LABELS[verb] ?? verb.toUpperCase()
  return KNOWN_VERBS.has(label) ? label : 'other'
}

function scopeOf(info: ApiRequest['info']): string {
  if (!info.isResourceRequest) return ''
  if (info.name !== '' || info.verb === 'create') return 'resource'
  return info.namespace === '' ? 'cluster' : 'namespace'
}
