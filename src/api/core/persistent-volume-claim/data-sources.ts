/** The two fields that name a claim's data source: an old one, and one that may reach further. */
import type { PersistentVolumeClaimSpec, TypedLocalObjectReference } from '#api/core/v1.gen.ts'

/** Both fields say the same, whichever the client knows. */
export function alignDataSources(spec: PersistentVolumeClaimSpec): void {
  const { dataSource, dataSourceRef } = spec
  if (dataSource !== undefined && dataSourceRef === undefined) spec.dataSourceRef = copySource(dataSource)
  else if (dataSourceRef !== undefined && dataSource === undefined && !dataSourceRef.namespace)
    spec.dataSource = copySource(dataSourceRef)
}

function copySource({ apiGroup, kind, name }: TypedLocalObjectReference): TypedLocalObjectReference {
  return { ...(apiGroup === undefined || apiGroup === null ? {} : { apiGroup }), kind, name }
}
