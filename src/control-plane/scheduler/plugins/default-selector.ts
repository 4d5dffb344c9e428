/** The selector of the pods that belong together with a pod: those of its Services and of the workload that owns it. */
import type { ReplicaSet, StatefulSet } from '#api/apps/v1.gen.ts'
import type { Pod, ReplicationController, Service } from '#api/core/v1.gen.ts'
import { matcherOf, matcherOfLabels } from '#machinery/selectors/label-selector.ts'
import type { Lister } from '../lister.ts'

export type WorkloadListers = {
  readonly services: Lister<Service>
  readonly replicationControllers: Lister<ReplicationController>
  readonly replicaSets: Lister<ReplicaSet>
  readonly statefulSets: Lister<StatefulSet>
}

/** `key` is the same for tests with the same outcome. */
export type LabelTest = {
  readonly key: string
  readonly matches: (labels: Readonly<Record<string, string>>) => boolean
}

/** Null for a pod that belongs to nothing. */
export function defaultSelectorOf(pod: Pod, listers: WorkloadListers): LabelTest | null {
  const matchers = [
    ...listers.services
      .list(pod.metadata.namespace)
      .map(({ spec }) => matcherOfLabels(spec.selector ?? {}))
      .filter((matcher) => !matcher.isEmpty && matcher.matches(pod.metadata.labels)),
    ...ownerSelector(pod, listers),
  ].filter((matcher) => !matcher.isEmpty)
  if (matchers.length === 0) return null
  const key = [...new Set(matchers.map(String))].toSorted().join(';')
  return { key, matches: (labels) => matchers.every((matcher) => matcher.matches(labels)) }
}

function ownerSelector(pod: Pod, listers: WorkloadListers): ReturnType<typeof matcherOf>[] {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true)
  const key = `${pod.metadata.namespace}/${owner?.name}`
  switch (`${owner?.apiVersion} ${owner?.kind}`) {
    case 'v1 ReplicationController': {
      const controller = listers.replicationControllers.get(key)
      return controller === undefined ? [] : [matcherOfLabels(controller.spec.selector ?? {})]
    }
    case 'apps/v1 ReplicaSet':
      return selectorOf(listers.replicaSets.get(key))
    case 'apps/v1 StatefulSet':
      return selectorOf(listers.statefulSets.get(key))
    default:
      return []
  }
}

const selectorOf = (owner: ReplicaSet | StatefulSet | undefined): ReturnType<typeof matcherOf>[] =>
  owner === undefined ? [] : [matcherOf(owner.spec.selector)]
