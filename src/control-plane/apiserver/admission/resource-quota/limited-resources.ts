/** Resources that a cluster hands out only where a ResourceQuota covers them. Pure. */
import type { ScopedResourceSelectorRequirement } from '#api/core/v1.gen.ts'
import { namesAbove, type Amounts } from '#api/core/resource-quota/amounts.ts'

export type LimitedResource = {
  readonly apiGroup?: string
  readonly resource: string
  /** Parts of names of resources, such as `.storageclass.storage.k8s.io/requests.storage`. */
  readonly matchContains?: readonly string[]
  /** Objects in these scopes need a quota with them. */
  readonly matchScopes?: readonly ScopedResourceSelectorRequirement[]
}

type Kind = { readonly group: string; readonly resource: string }

/** Of what an object uses, the names that are limited. */
export function limitedNames(usage: Amounts, kind: Kind, limited: readonly LimitedResource[]): string[] {
  const parts = limited
    .filter(({ apiGroup = '', resource }) => apiGroup === kind.group && resource === kind.resource)
    .flatMap(({ matchContains = [] }) => matchContains)
  const none = Object.fromEntries(Object.keys(usage).map((name) => [name, '0']))
  return namesAbove(usage, none).filter((name) => parts.some((part) => name.includes(part)))
}
