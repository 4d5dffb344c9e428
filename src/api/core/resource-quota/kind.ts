/** Limits on the sum of resources in a namespace. */
import type { ResourceQuota } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { resourceQuotaStrategy } from './strategy.ts'

/** Requests and limits, each as `name: used/hard` joined by commas. */
function quotaCells(quota: ResourceQuota): [string, string] {
  const hard = quota.status?.hard ?? {}
  const requests: string[] = []
  const limits: string[] = []
  for (const name of Object.keys(hard).toSorted()) {
    const target = name.startsWith('limits.') ? limits : requests
    target.push(`${name}: ${quota.status?.used?.[name] ?? '0'}/${hard[name]}`)
  }
  return [requests.join(', '), limits.join(', ')]
}

export const resourceQuotaKind = defineKind<ResourceQuota>('v1/resourcequotas', {
  answersDeleted: true,
  strategy: resourceQuotaStrategy,
  row: (object, nowMs) => [
    object.metadata.name,
    ...quotaCells(object),
    formatAge(object.metadata.creationTimestamp, nowMs),
  ],
})
