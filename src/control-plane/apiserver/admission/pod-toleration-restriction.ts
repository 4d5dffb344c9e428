/** Pods tolerate what their namespace (or the cluster) lets them, and get its tolerations by default. */
import type { Namespace, Pod, Toleration } from '#api/core/v1.gen.ts'
import { covers, mergeTolerations } from '#api/core/merge-tolerations.ts'
import { qosClassOf } from '#api/core/pod/qos.ts'
import { notFound, StatusError } from '#machinery/status-error.ts'
import { isResource, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations'
const WHITELIST = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist'
const MEMORY_PRESSURE = { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }

/** Of the cluster, for namespaces that say nothing themselves. */
export type TolerationConfiguration = {
  readonly default?: readonly Toleration[]
  readonly whitelist?: readonly Toleration[]
}

export function createPodTolerationRestriction(
  cluster: ClusterReader,
  configuration: TolerationConfiguration,
): AdmissionPlugin {
  const check = async ({ object, namespace }: AdmissionAttributes): Promise<void> => {
    const tolerations = (object as Pod).spec.tolerations ?? []
    if (tolerations.length === 0) return
    const own = await tolerationsOf(cluster, namespace, WHITELIST)
    const whitelist = own ?? configuration.whitelist ?? []
    if (whitelist.length === 0 || tolerations.every((one) => whitelist.some((allowed) => covers(allowed, one)))) return
    const message = `pod tolerations (possibly merged with namespace default tolerations) conflict with its ${own === null ? 'cluster' : 'namespace'} whitelist`
    throw new StatusError({ code: 500, reason: '', message })
  }
  return {
    name: 'PodTolerationRestriction',
    async mutate(attributes) {
      if (!isConcerned(attributes)) return
      const pod = attributes.object as Pod
      const isNew = attributes.operation === 'CREATE'
      const own = isNew ? await tolerationsOf(cluster, attributes.namespace, DEFAULTS) : []
      const extra = [...(own ?? configuration.default ?? [])]
      if (qosClassOf(pod) !== 'BestEffort') extra.push({ ...MEMORY_PRESSURE })
      if (extra.length > 0) pod.spec.tolerations = mergeTolerations(pod.spec.tolerations ?? [], extra)
      await check(attributes)
    },
    async validate(attributes) {
      if (isConcerned(attributes)) await check(attributes)
    },
  }
}

function isConcerned(attributes: AdmissionAttributes): boolean {
  const { operation } = attributes
  return (operation === 'CREATE' || operation === 'UPDATE') && isResource(attributes, 'pods')
}

/** Null when the namespace says nothing; an empty list when it wants none. */
async function tolerationsOf(cluster: ClusterReader, name: string, annotation: string): Promise<Toleration[] | null> {
  const namespace = await cluster.get<Namespace>('', 'namespaces', '', name)
  if (namespace === null) throw notFound({ group: '', resource: 'namespaces' }, name)
  const text = namespace.metadata.annotations?.[annotation]
  if (text === undefined) return null
  try {
    return text === '' ? [] : (JSON.parse(text) as Toleration[])
  } catch (error) {
    throw new StatusError({ code: 500, reason: '', message: (error as Error).message })
  }
}
