/** Decides what a node's silence means for its conditions, and which taints and labels follow from what it posts. */
import type { Node, NodeCondition, Taint } from '#api/core/v1.gen.ts'

const PREFIX = 'node.kubernetes.io'
const NOT_READY = `${PREFIX}/not-ready`
const UNREACHABLE = `${PREFIX}/unreachable`
const UNSCHEDULABLE = `${PREFIX}/unschedulable`

/** Condition and status -> taint. */
const CONDITION_TAINTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: `${PREFIX}/memory-pressure` },
  DiskPressure: { True: `${PREFIX}/disk-pressure` },
  NetworkUnavailable: { True: `${PREFIX}/network-unavailable` },
  PIDPressure: { True: `${PREFIX}/pid-pressure` },
}
const MANAGED_KEYS = new Set([
  UNSCHEDULABLE,
  ...Object.values(CONDITION_TAINTS).flatMap((taints) => Object.values(taints)),
])

/** Conditions that only the kubelet can tell: unknown when it is silent. */
const KUBELET_CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

export function conditionOf(node: Node, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type)
}

/** Whether the node's conditions say already that it is silent. */
export function isMarkedSilent(node: Node): boolean {
  return KUBELET_CONDITIONS.every((type) => conditionOf(node, type)?.status === 'Unknown')
}

/** The conditions of a node that was silent for too long; null when they say so already. */
export function planSilence(node: Node, now: string): NodeCondition[] | null {
  const conditions = [...(node.status?.conditions ?? [])]
  let hasChanged = false
  for (const type of KUBELET_CONDITIONS) {
    const position = conditions.findIndex((condition) => condition.type === type)
    const known = conditions[position]
    if (known === undefined)
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: now,
      })
    else if (known.status === 'Unknown') continue
    else
      conditions[position] = {
        ...known,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      }
    hasChanged = true
  }
  return hasChanged ? conditions : null
}

/** The node's taints with the NoSchedule ones that its conditions demand; null when they are so already. */
export function planNoScheduleTaints(node: Node): Taint[] | null {
  const isOwn = ({ key, effect }: Taint): boolean => effect === 'NoSchedule' && MANAGED_KEYS.has(key)
  return changeTaints(node, { isOwn, wanted: noScheduleKeys(node).map((key) => ({ key, effect: 'NoSchedule' })) })
}

/** The node's taints with the NoExecute one that its readiness demands and without the other; null when they are so already. */
export function planNoExecuteTaints(node: Node, now: string): Taint[] | null {
  const key = noExecuteKey(node)
  const wanted = key === null ? [] : [{ key, effect: 'NoExecute', timeAdded: now }]
  return changeTaints(node, { isOwn: isEvicting, wanted })
}

/** The node's taints without those that evict; null when it has none. */
export function planReachable(node: Node): Taint[] | null {
  return changeTaints(node, { isOwn: isEvicting, wanted: [] })
}

/** The same for a node that is ready; null for one that is not. */
export function planRecovered(node: Node): Taint[] | null {
  return conditionOf(node, 'Ready')?.status === 'True' ? planReachable(node) : null
}

/** Whether the node has to wait for its zone's turn: not when it is ready, never posted, or has one of the two taints already. */
export function needsNoExecuteTurn(node: Node): boolean {
  return noExecuteKey(node) !== null && !(node.spec?.taints ?? []).some(isEvicting)
}

/** Labels that say the same under an older name. */
const LABEL_ALIASES = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
] as const

/** The labels that the node lacks or has with another value than their newer name; null when there are none. */
export function planLabels({ metadata: { labels = {} } }: Node): Record<string, string> | null {
  const missing = LABEL_ALIASES.flatMap(([newer, older]) => {
    const value = labels[newer]
    return value === undefined || labels[older] === value ? [] : [[older, value]]
  })
  return missing.length === 0 ? null : Object.fromEntries(missing)
}

function noScheduleKeys(node: Node): string[] {
  const keys = (node.status?.conditions ?? []).flatMap(({ type, status }) => CONDITION_TAINTS[type]?.[status] ?? [])
  return node.spec?.unschedulable === true ? [...keys, UNSCHEDULABLE] : keys
}

function noExecuteKey(node: Node): string | null {
  return CONDITION_TAINTS['Ready']![conditionOf(node, 'Ready')?.status ?? ''] ?? null
}

function isEvicting({ key, effect }: Taint): boolean {
  return effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)
}

/** Of the taints that are this controller's own, the wanted ones; the others as they are. */
function changeTaints(
  node: Node,
  { isOwn, wanted }: { readonly isOwn: (taint: Taint) => boolean; readonly wanted: readonly Taint[] },
): Taint[] | null {
  const taints = node.spec?.taints ?? []
  const kept = taints.filter((taint) => !isOwn(taint) || wanted.some((other) => isSame(taint, other)))
  const added = wanted.filter((taint) => !taints.some((other) => isSame(taint, other)))
  return added.length === 0 && kept.length === taints.length ? null : [...kept, ...added]
}

const isSame = (left: Taint, right: Taint): boolean => left.key === right.key && left.effect === right.effect
