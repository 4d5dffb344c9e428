/** Puts pods on the nodes that their node selector and node affinity ask for, and near those they prefer. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { matchesNodeSelector, matchesNodeSelectorTerm } from '#api/core/node-selector.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import {
  unresolvable,
  type ClusterEvent,
  type CycleState,
  type Plugin,
  type PreFilterResult,
  type Rejection,
} from '../framework.ts'
import { normalizeAscending } from './normalize.ts'

export function matchesRequiredNodeAffinity(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) if (labels[key] !== value) return false
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || matchesNodeSelector(required, node)
}

export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  /** Terms that all name nodes outright (DaemonSet pods do) leave just these to look at. */
  preFilter(_state: CycleState, pod: Pod): PreFilterResult | null {
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    if (required === undefined) return pod.spec.nodeSelector === undefined ? { skipFilter: true } : null
    const names = new Set<string>()
    for (const term of required.nodeSelectorTerms) {
      const byName = term.matchFields?.find((field) => field.key === 'metadata.name' && field.operator === 'In')
      if (byName === undefined) return null
      for (const name of byName.values ?? []) names.add(name)
    }
    return { nodeNames: names }
  },
  filter(_state: CycleState, pod: Pod, { node }: NodeInfo): Rejection | null {
    return matchesRequiredNodeAffinity(pod, node)
      ? null
      : unresolvable("node(s) didn't match Pod's node affinity/selector")
  },
  preScore(_state: CycleState, pod: Pod): boolean {
    return (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length ?? 0) > 0
  },
  score(_state: CycleState, pod: Pod, { node }: NodeInfo): number {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return preferred.reduce(
      (sum, { weight, preference }) => sum + (matchesNodeSelectorTerm(preference, node) ? weight : 0),
      0,
    )
  },
  normalizeScores: (_state: CycleState, _pod: Pod, scores: number[]): void => normalizeAscending(scores),
  isHelpedBy(pod: Pod, event: ClusterEvent): boolean {
    if (event.resource === 'unscheduled-pod') return true
    return (
      event.resource === 'node' && event.action !== 'delete' && matchesRequiredNodeAffinity(pod, event.object as Node)
    )
  },
}
