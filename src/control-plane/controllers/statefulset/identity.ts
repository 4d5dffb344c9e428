/** The identity of a StatefulSet's pods: ordinal, name, labels, claims. */
import type { StatefulSet } from '#api/apps/v1.gen.ts'
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from '#api/core/v1.gen.ts'
import { STATEFULSETS } from '#api/resources.gen.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { REVISION_HASH_LABEL } from '../history/controller-revisions.ts'
import { controllerReference } from '../object-key.ts'

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index'

/** Null for a pod whose name is none of the set's. */
export function ordinalOf(set: StatefulSet, { metadata: { name } }: Pod): number | null {
  const prefix = `${set.metadata.name}-`
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^\d+$/.test(rest) ? Number(rest) : null
}

export function podName(set: StatefulSet, ordinal: number): string {
  return `${set.metadata.name}-${ordinal}`
}

export function claimName(set: StatefulSet, claim: PersistentVolumeClaim, ordinal: number): string {
  return `${claim.metadata.name}-${podName(set, ordinal)}`
}

export function revisionOf({ metadata }: Pod): string {
  return metadata.labels?.[REVISION_HASH_LABEL] ?? ''
}

/** The pod with this ordinal as it has to be created, from the template of the named revision. */
export function podOf(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): Draft<Pod> {
  const name = podName(set, ordinal)
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    metadata: {
      name,
      namespace: set.metadata.namespace!,
      labels: {
        ...labels,
        [POD_NAME_LABEL]: name,
        [POD_INDEX_LABEL]: String(ordinal),
        [REVISION_HASH_LABEL]: revision,
      },
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(STATEFULSETS, set)],
    },
    spec: {
      ...template.spec!,
      hostname: name,
      ...(set.spec.serviceName === undefined ? {} : { subdomain: set.spec.serviceName }),
      volumes: volumesOf(set, template, ordinal),
    },
  }
}

/** Claims of the set take the place of volumes with the same name. */
function volumesOf(set: StatefulSet, template: PodTemplateSpec, ordinal: number): Volume[] {
  const claims = set.spec.volumeClaimTemplates ?? []
  const names = new Set(claims.map(({ metadata }) => metadata.name))
  return [
    ...claims.map((claim) => ({
      name: claim.metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, claim, ordinal), readOnly: false },
    })),
    ...(template.spec?.volumes ?? []).filter(({ name }) => !names.has(name)),
  ]
}

/** The pod's claims as they have to be created. */
export function claimsOf(set: StatefulSet, ordinal: number): Draft<PersistentVolumeClaim>[] {
  return (set.spec.volumeClaimTemplates ?? []).map((claim) => ({
    metadata: {
      name: claimName(set, claim, ordinal),
      namespace: set.metadata.namespace!,
      labels: { ...claim.metadata.labels, ...set.spec.selector.matchLabels },
      ...(claim.metadata.annotations === undefined ? {} : { annotations: claim.metadata.annotations }),
    },
    spec: claim.spec!,
  }))
}
