/** Makes room for a pod that fits nowhere, by evicting pods of lower priority from the node where that hurts least. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { PodDisruptionBudget } from '#api/policy/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { NodeInfo, PodInfo } from '../cache/node-info.ts'
import { filterNode } from '../cycle.ts'
import type { CycleState, FilterDiagnosis, Plugin, PostFilterResult, Snapshot } from '../framework.ts'

export type PreemptionOptions = {
  readonly client: Client
  readonly events: EventRecorder
  readonly budgets: () => readonly PodDisruptionBudget[]
  /** All plugins whose preFilter and filter decide whether the pod fits once others are gone. */
  readonly plugins: () => readonly Plugin[]
}

type Candidate = { readonly node: string; readonly victims: readonly PodInfo[]; readonly violations: number }

const NOT_HELPFUL = 'Preemption is not helpful for scheduling'
const NO_VICTIMS = 'No preemption victims found for incoming pod'

const priorityOf = (pod: Pod): number => pod.spec.priority ?? 0

export function createDefaultPreemption(options: PreemptionOptions): Plugin {
  return {
    name: 'DefaultPreemption',
    async postFilter(
      _state: CycleState,
      pod: Pod,
      diagnosis: FilterDiagnosis,
      snapshot: Snapshot,
    ): Promise<PostFilterResult> {
      if (pod.spec.preemptionPolicy === 'Never')
        return { nominatedNode: '', message: `preemption: not eligible due to preemptionPolicy=Never.` }
      const reasons = new Map<string, number>()
      const candidates: Candidate[] = []
      for (const node of snapshot.nodes()) {
        const rejection = diagnosis.rejections.get(node.name)
        const candidate = rejection?.code === 'unschedulable' ? findVictims(pod, node, snapshot, options) : null
        if (candidate !== null) candidates.push(candidate)
        else {
          const reason = rejection?.code === 'unschedulable' ? NO_VICTIMS : NOT_HELPFUL
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
        }
      }
      const best = selectCandidate(candidates)
      if (best === null) return { nominatedNode: '', message: formatMessage(snapshot.nodes().length, reasons) }
      await evict(pod, best, options)
      return { nominatedNode: best.node, message: '' }
    },
  }
}

function formatMessage(nodeCount: number, reasons: ReadonlyMap<string, number>): string {
  const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`).toSorted()
  return `preemption: 0/${nodeCount} nodes are available: ${parts.join(', ')}.`
}

/** The fewest pods of lower priority whose absence lets the pod in; null when even all of them would not. */
function findVictims(pod: Pod, node: NodeInfo, snapshot: Snapshot, options: PreemptionOptions): Candidate | null {
  const lower = [...node.pods()].filter((info) => priorityOf(info.pod) < priorityOf(pod))
  if (lower.length === 0) return null
  const reduced = node.withNode(node.node)
  for (const { pod: victim } of lower) reduced.removePod(victim.metadata.uid)
  if (!fits(pod, reduced, snapshot, options)) return null
  const { violating, others } = splitByBudget(lower, options.budgets())
  const victims: PodInfo[] = []
  let violations = 0
  // The most important pods get their place back first, those that a disruption budget protects before all others.
  for (const [group, isViolation] of [
    [violating, true],
    [others, false],
  ] as const)
    for (const info of group.toSorted(byImportance)) {
      reduced.addPod(info)
      if (fits(pod, reduced, snapshot, options)) continue
      reduced.removePod(info.pod.metadata.uid)
      victims.push(info)
      if (isViolation) violations++
    }
  return { node: node.name, victims, violations }
}

function fits(pod: Pod, node: NodeInfo, snapshot: Snapshot, options: PreemptionOptions): boolean {
  const view: Snapshot = {
    nodes: () => snapshot.nodes().map((other) => (other.name === node.name ? node : other)),
    node: (name) => (name === node.name ? node : snapshot.node(name)),
  }
  const state: CycleState = new Map()
  const filters: Plugin[] = []
  for (const plugin of options.plugins()) {
    const result = plugin.preFilter?.(state, pod, view) ?? null
    if (result?.rejection !== undefined) return false
    if (result?.nodeNames !== undefined && !result.nodeNames.has(node.name)) return false
    if (plugin.filter !== undefined && result?.skipFilter !== true) filters.push(plugin)
  }
  return filterNode(filters, state, pod, node) === null
}

/** Pods whose budget is used up (by the victims before them too) violate it when they are evicted. */
function splitByBudget(
  pods: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map((budget) => ({
    budget,
    matcher: budget.spec.selector === undefined ? null : matcherOf(budget.spec.selector),
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }))
  const [violating, others]: PodInfo[][] = [[], []]
  for (const info of pods) {
    const { namespace, labels, name } = info.pod.metadata
    const matching = left.filter(
      ({ budget, matcher }) =>
        budget.metadata.namespace === namespace &&
        matcher?.matches(labels ?? {}) === true &&
        budget.status?.disruptedPods?.[name] === undefined,
    )
    for (const entry of matching) entry.allowed--
    const isViolation = matching.some(({ allowed }) => allowed < 0)
    ;(isViolation ? violating! : others!).push(info)
  }
  return { violating: violating!, others: others! }
}

/** Higher priority first, then those that have run longest. */
function byImportance(a: PodInfo, b: PodInfo): number {
  return priorityOf(b.pod) - priorityOf(a.pod) || (startOf(a) < startOf(b) ? -1 : 1)
}

const startOf = ({ pod }: PodInfo): string => pod.status?.startTime ?? '9999'

/** Upstream's order of criteria: budgets, highest victim, sum of priorities, number of victims, latest start. */
function selectCandidate(candidates: readonly Candidate[]): Candidate | null {
  const highest = ({ victims }: Candidate): number => Math.max(...victims.map(({ pod }) => priorityOf(pod)))
  const sum = ({ victims }: Candidate): number => victims.reduce((total, { pod }) => total + priorityOf(pod), 0)
  const latest = ({ victims }: Candidate): string => victims.map(startOf).toSorted()[0] ?? ''
  const [best] = candidates.toSorted(
    (a, b) =>
      a.violations - b.violations ||
      highest(a) - highest(b) ||
      sum(a) - sum(b) ||
      a.victims.length - b.victims.length ||
      (latest(a) > latest(b) ? -1 : 1),
  )
  return best ?? null
}

async function evict(pod: Pod, candidate: Candidate, { client, events }: PreemptionOptions): Promise<void> {
  for (const { pod: victim } of candidate.victims) {
    const { namespace, name, uid } = victim.metadata
    const message = `Preempted by pod ${pod.metadata.uid} on node ${candidate.node}`
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${pod.spec.schedulerName ?? 'default-scheduler'}: preempting to accommodate a higher priority pod`,
    }
    try {
      await client.patch(
        PODS,
        namespace!,
        name,
        'strategic',
        { metadata: { uid }, status: { conditions: [condition] } },
        { subresource: 'status' },
      )
      await client.delete(PODS, namespace!, name, { preconditions: { uid } })
      events.event({ apiVersion: 'v1', kind: 'Pod', namespace: namespace!, name, uid }, 'Normal', 'Preempted', message)
    } catch (error) {
      if (!isNotFound(error)) throw error // Somebody else removed it: that is as good.
    }
  }
  const { namespace, name } = pod.metadata
  await client.patch(
    PODS,
    namespace!,
    name,
    'merge',
    { status: { nominatedNodeName: candidate.node } },
    { subresource: 'status' },
  )
}
