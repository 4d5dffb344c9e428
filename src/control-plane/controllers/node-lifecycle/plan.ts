/** Decides what a node's silence means for its conditions, and which taints follow from them. */
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

/** The node's taints as its conditions demand them; null when they are so already. */
export function planTaints(node: Node, now: string): Taint[] | null {
  const taints = node.spec?.taints ?? []
  const wanted = [...noScheduleKeys(node).map((key) => ({ key, effect: 'NoSchedule' })), ...noExecuteTaints(node, now)]
  const isWanted = (taint: Taint): boolean => wanted.some((other) => isSame(taint, other))
  const kept = taints.filter((taint) => !isManaged(node, taint) || isWanted(taint))
  const added = wanted.filter((taint) => !taints.some((other) => isSame(taint, other)))
  return added.length === 0 && kept.length === taints.length ? null : [...kept, ...added]
}

function noScheduleKeys(node: Node): string[] {
  const keys = (node.status?.conditions ?? []).flatMap(({ type, status }) => CONDITION_TAINTS[type]?.[status] ?? [])
  return node.spec?.unschedulable === true ? [...keys, UNSCHEDULABLE] : keys
}

function noExecuteTaints(node: Node, now: string): Taint[] {
  const key = CONDITION_TAINTS['Ready']![conditionOf(node, 'Ready')?.status ?? '']
  return key === undefined ? [] : [{ key, effect: 'NoExecute', timeAdded: now }]
}

/** Whether this controller may take the taint away. */
function isManaged(node: Node, { key, effect }: Taint): boolean {
  if (effect === 'NoSchedule') return MANAGED_KEYS.has(key)
  // Before the kubelet has told anything, nothing follows.
  return (
    effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE) && conditionOf(node, 'Ready') !== undefined
  )
}

const isSame = (left: Taint, right: Taint): boolean => left.key === right.key && left.effect === right.effect
