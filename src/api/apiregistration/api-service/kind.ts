/** A group version and who serves it: this API server, or a Service that requests are passed on to. */
import type { APIService } from '#api/apiregistration/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { keepSpec, keepStatus } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { validateApiService, validateApiServiceStatus } from './validation.ts'

const SERVICE_PORT = 443

const strategy: Strategy<APIService> = {
  requireResourceVersion: true,
  setDefaults({ spec }) {
    if (spec.service !== undefined) spec.service.port ??= SERVICE_PORT
  },
  prepareForCreate(service, { clock }) {
    delete service.status
    if (service.spec.service !== undefined) return
    const lastTransitionTime = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
    const message = 'Local APIServices are always available'
    service.status = {
      conditions: [{ type: 'Available', status: 'True', lastTransitionTime, reason: 'Local', message }],
    }
  },
  prepareForUpdate(service, old, { subresource }) {
    if (subresource !== 'status') {
      keepStatus(service, old)
      return
    }
    keepSpec(service, old)
    for (const name of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const)
      if (old.metadata[name] === undefined) delete service.metadata[name]
      else Object.assign(service.metadata, { [name]: old.metadata[name] })
  },
  validate: validateApiService,
  validateUpdate: (service, _old, { subresource }) =>
    subresource === 'status' ? validateApiServiceStatus(service) : validateApiService(service),
}

function availableCell({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === 'Available')
  if (condition === undefined) return 'Unknown'
  return condition.status === 'True' || !condition.reason
    ? condition.status
    : `${condition.status} (${condition.reason})`
}

const NOT_PASSED_ON = 'this server stores APIServices and does not pass requests on to their Services yet'

export const apiServiceKind = defineKind<APIService>('apiregistration.k8s.io/v1/apiservices', {
  strategy,
  nameRule: 'path-segment',
  inert: {
    warning: ({ spec }) => (spec.service === undefined ? null : NOT_PASSED_ON),
    conditions: [{ type: 'Available', status: 'False', reason: 'NotPassedOn', message: NOT_PASSED_ON }],
  },
  allowPlainFinalizers: true,
  row: (object, nowMs) => {
    const { service } = object.spec
    return [
      object.metadata.name,
      service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`,
      availableCell(object),
      formatAge(object.metadata.creationTimestamp, nowMs),
    ]
  },
})
