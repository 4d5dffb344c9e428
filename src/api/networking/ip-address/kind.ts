/** Records that an address of Services is taken. */
import type { IPAddress } from '#api/networking/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { ipAddressNameProblems, ipAddressStrategy } from './strategy.ts'

/** One cell more than columns: upstream writes the age without announcing it. */
function addressCells({ metadata, spec }: IPAddress, nowMs: number): unknown[] {
  const parent = spec.parentRef
  const resource = parent === undefined ? '' : [parent.resource ?? '', parent.group ?? ''].filter(Boolean).join('.')
  const path = parent === undefined ? ['<none>'] : [resource.toLowerCase(), parent.namespace ?? '', parent.name ?? '']
  return [metadata.name, path.filter((part) => part !== '').join('/'), formatAge(metadata.creationTimestamp, nowMs)]
}

export const ipAddressKind = defineKind<IPAddress>('networking.k8s.io/v1/ipaddresses', {
  nameRule: ipAddressNameProblems,
  strategy: ipAddressStrategy,
  allocations: ({ metadata }) => [metadata.name],
  row: (object, nowMs) => addressCells(object, nowMs),
})
