/** A stable address in front of pods. */
import type { Service } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge, formatLabels } from '#api/table-cells.ts'
import { allocationsOf } from './allocation.ts'
import { serviceStrategy } from './strategy.ts'

function serviceCells(service: Service, nowMs: number): unknown[] {
  return [
    service.metadata.name,
    service.spec.type ?? '',
    service.spec.clusterIPs?.[0] ?? '<none>',
    externalAddress(service),
    portCell(service) || '<none>',
    formatAge(service.metadata.creationTimestamp, nowMs),
    formatLabels(service.spec.selector),
  ]
}

function portCell(service: Service): string {
  return (service.spec.ports ?? [])
    .map(({ port, nodePort, protocol }) => `${(nodePort ?? 0) > 0 ? `${port}:${nodePort}` : port}/${protocol ?? ''}`)
    .join(',')
}

function externalAddress(service: Service): string {
  const external = service.spec.externalIPs ?? []
  switch (service.spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.join(',') || '<none>'
    case 'LoadBalancer':
      return [...balancerAddresses(service), ...external].join(',') || '<pending>'
    case 'ExternalName':
      return service.spec.externalName ?? ''
    default:
      return '<unknown>'
  }
}

function balancerAddresses(service: Service): string[] {
  const found = (service.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '')
  return [...new Set(found)].filter((address) => address !== '').toSorted()
}

export const serviceKind = defineKind<Service>('v1/services', {
  allocations: allocationsOf,
  answersDeleted: true,
  storagePrefix: 'services/specs',
  nameRule: 'label',
  strategy: serviceStrategy,
  row: (object, nowMs) => serviceCells(object, nowMs),
  selectableFields: {
    'spec.clusterIP': (object) => object.spec.clusterIP ?? '',
    'spec.type': (object) => object.spec.type ?? '',
  },
})
