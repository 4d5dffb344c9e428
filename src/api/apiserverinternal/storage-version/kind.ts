/** In which versions the API servers of a cluster store a resource. */
import type { StorageVersion } from '#api/apiserverinternal/v1alpha1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge, formatShortList } from '#api/table-cells.ts'
import { storageVersionNameProblems, validateStorageVersionStatus } from './validation.ts'

const SERVERS_SHOWN_MAX = 3

function serversCell({ status }: StorageVersion): string {
  const servers = status?.storageVersions ?? []
  const texts = servers.map(({ apiServerID, encodingVersion }) => `${apiServerID}=${encodingVersion}`)
  return formatShortList(texts, { max: SERVERS_SHOWN_MAX, total: texts.length })
}

export const storageVersionKind = defineKind<StorageVersion>('internal.apiserver.k8s.io/v1alpha1/storageversions', {
  nameRule: storageVersionNameProblems,
  strategy: {
    ...specStatusStrategy<StorageVersion>({ generation: false, resetsMetaForStatus: true }),
    requireResourceVersion: true,
    validate: validateStorageVersionStatus,
    validateUpdate: (version, _old, { subresource }) =>
      subresource === 'status' ? validateStorageVersionStatus(version) : [],
  },
  row: (version, nowMs) => [
    version.metadata.name,
    version.status?.commonEncodingVersion ?? '<unset>',
    serversCell(version),
    formatAge(version.metadata.creationTimestamp, nowMs),
  ],
})
