/** Decides whether a DaemonSet's pod belongs on a node. */
import type { Node, NodeSelectorRequirement, PodSpec, Taint, Toleration } from '#api/core/v1.gen.ts'

/** `run`: a pod has to be there; `continue`: one that is there may stay. */
export type NodeFit = { readonly run: boolean; readonly continue: boolean }

const KEY = 'node.kubernetes.io'

/** What every daemon tolerates: it belongs to the node, in good times and bad. */
export function daemonTolerations(spec: PodSpec): Toleration[] {
  const of = (key: string, effect: string): Toleration => ({ key: `${KEY}/${key}`, operator: 'Exists', effect })
  const own = [
    of('not-ready', 'NoExecute'),
    of('unreachable', 'NoExecute'),
    of('disk-pressure', 'NoSchedule'),
    of('memory-pressure', 'NoSchedule'),
    of('pid-pressure', 'NoSchedule'),
    of('unschedulable', 'NoSchedule'),
    ...(spec.hostNetwork === true ? [of('network-unavailable', 'NoSchedule')] : []),
  ]
  const given = spec.tolerations ?? []
  return [...given, ...own.filter((toleration) => !given.some((other) => isSame(other, toleration)))]
}

function isSame(left: Toleration, right: Toleration): boolean {
  return left.key === right.key && left.effect === right.effect && left.operator === right.operator
}

export function fitOf(spec: PodSpec, node: Node): NodeFit {
  const isElsewhere = spec.nodeName !== undefined && spec.nodeName !== '' && spec.nodeName !== node.metadata.name
  if (isElsewhere || !matchesNode(spec, node)) return { run: false, continue: false }
  const tolerations = daemonTolerations(spec)
  const untolerated = (node.spec?.taints ?? []).filter((taint) => !tolerations.some((t) => tolerates(t, taint)))
  return {
    run: !untolerated.some(({ effect }) => effect === 'NoExecute' || effect === 'NoSchedule'),
    continue: !untolerated.some(({ effect }) => effect === 'NoExecute'),
  }
}

function tolerates({ key = '', operator = '', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if ((effect !== '' && effect !== taint.effect) || (key !== '' && key !== taint.key)) return false
  return operator === 'Exists' || (key !== '' && value === (taint.value ?? ''))
}

function matchesNode(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  if (!Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)) return false
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required === undefined) return true
  return required.nodeSelectorTerms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false
    const fields = { 'metadata.name': node.metadata.name }
    return matchExpressions.every((r) => isMet(r, labels)) && matchFields.every((r) => isMet(r, fields))
  })
}

function isMet({ key, operator, values = [] }: NodeSelectorRequirement, labels: Record<string, string>): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && /^-?\d+$/.test(value) && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && /^-?\d+$/.test(value) && Number(value) < Number(values[0])
    default:
      return false
  }
}
