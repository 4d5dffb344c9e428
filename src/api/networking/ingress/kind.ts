/** Routes from outside to Services by host and path. */
import type { Ingress } from '#api/networking/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { ingressStrategy } from './strategy.ts'

/** How many rules the table looks at for hosts. */
const HOSTS_SHOWN_MAX = 3

function hostsCell({ spec }: Ingress): string {
  const rules = spec.rules ?? []
  const shown: string[] = []
  let more = false
  for (const { host = '' } of rules) {
    more ||= shown.length === HOSTS_SHOWN_MAX
    if (!more && host !== '') shown.push(host)
  }
  if (shown.length === 0) return '*'
  return more ? `${shown.join(',')} + ${rules.length - HOSTS_SHOWN_MAX} more...` : shown.join(',')
}

function addressCell({ status }: Ingress): string {
  const found = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '')
  return [...new Set(found)]
    .filter((address) => address !== '')
    .toSorted()
    .join(',')
}

export const ingressKind = defineKind<Ingress>('networking.k8s.io/v1/ingresses', {
  strategy: ingressStrategy,
  storagePrefix: 'ingress',
  row: (object, nowMs) => [
    object.metadata.name,
    object.spec.ingressClassName ?? '<none>',
    hostsCell(object),
    addressCell(object),
    (object.spec.tls ?? []).length > 0 ? '80, 443' : '80',
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
