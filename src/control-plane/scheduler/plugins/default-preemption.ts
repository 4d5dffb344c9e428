/** Makes room for a pod that fits nowhere, by evicting pods of lower priority from the node where that hurts least. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { PodDisruptionBudget } from '#api/policy/v1.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { countReasons } from '../cycle.ts'
import type { FilterDiagnosis, Plugin, PostFilterResult, Rejection, Snapshot } from '../framework.ts'
import type { SchedulerMetrics } from '../metrics.ts'
import { priorityOf } from '../pod-priority.ts'
import { patchPodStatus } from '../pod-status.ts'
import { findVictims, selectCandidate, type Candidate } from './preemption-victims.ts'

export type PreemptionOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly events: EventRecorder
  readonly metrics?: SchedulerMetrics
  readonly budgets: () => readonly PodDisruptionBudget[]
  /** Pods that the node is promised to. */
  readonly nominatedTo: (nodeName: string) => readonly Pod[]
  /** The victims of the pod are on their way out, or could not be evicted: it may be tried again. */
  readonly preempted: (uid: string, outcome: 'evicted' | 'failed') => void
}

/** At least this many nodes are tried before the best is chosen (minCandidateNodesAbsolute, minCandidateNodesPercentage). */
const [CANDIDATES_MIN, CANDIDATES_PERCENT_MIN] = [100, 10]
const NOT_HELPFUL: Rejection = { code: 'unresolvable', reasons: ['Preemption is not helpful for scheduling'] }

export function createDefaultPreemption(options: PreemptionOptions): Plugin {
  /** uids of pods whose victims are being deleted: they stay out of the queue, or they would look for more victims. */
  const preempting = new Set<string>()
  return {
    name: 'DefaultPreemption',
    preEnqueue: (pod) =>
      preempting.has(pod.metadata.uid)
        ? { code: 'pending', reasons: ['waiting for the preemption for this pod to be finished'] }
        : null,
    async postFilter(_state, pod, diagnosis, snapshot): Promise<PostFilterResult> {
      options.metrics?.triedPreemption()
      const reason = whyNotEligible(pod, diagnosis, snapshot)
      if (reason !== null) return { nominatedNode: null, message: `preemption: not eligible due to ${reason}.` }
      const { candidates, rejections } = tryNodes(pod, diagnosis, snapshot, options)
      const best = selectCandidate(candidates)
      if (best === null) {
        const untried = Array.from({ length: snapshot.nodes().length - rejections.length }, () => NOT_HELPFUL)
        const counts = countReasons([...rejections, ...untried])
        const message = `preemption: 0/${snapshot.nodes().length} nodes are available: ${counts}.`
        return { nominatedNode: '', message }
      }
      options.metrics?.chose(best.victims.length)
      preempting.add(pod.metadata.uid)
      void evict(pod, best, options).then((outcome) => {
        preempting.delete(pod.metadata.uid)
        options.preempted(pod.metadata.uid, outcome)
      })
      return { nominatedNode: best.node, message: '' }
    },
  }
}

/** A pod whose victims are still ending on the node that was promised to it does not take more. */
function whyNotEligible(pod: Pod, { rejections }: FilterDiagnosis, snapshot: Snapshot): string | null {
  if (pod.spec.preemptionPolicy === 'Never') return 'preemptionPolicy=Never'
  const name = pod.status?.nominatedNodeName ?? ''
  const node = snapshot.node(name)
  if (node === undefined || rejections.get(name)?.code === 'unresolvable') return null
  const isWaiting = [...node.pods()].some(
    (info) => priorityOf(info.pod) < priorityOf(pod) && isEndingByPreemption(info.pod),
  )
  return isWaiting ? 'a terminating pod on the nominated node' : null
}

function isEndingByPreemption(pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp === undefined) return false
  const condition = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
  return condition?.status === 'True' && condition.reason === 'PreemptionByScheduler'
}

/** Starts at a random node, so that the same nodes do not always pay; ends when there is enough to choose from. */
function tryNodes(
  pod: Pod,
  diagnosis: FilterDiagnosis,
  snapshot: Snapshot,
  options: PreemptionOptions,
): { candidates: Candidate[]; rejections: Rejection[] } {
  const [candidates, rejections]: [Candidate[], Rejection[]] = [[], []]
  const nodes = snapshot.nodes().filter((node) => diagnosis.rejections.get(node.name)?.code === 'unschedulable')
  const wanted = Math.max(CANDIDATES_MIN, Math.floor((nodes.length * CANDIDATES_PERCENT_MIN) / 100))
  const start = Math.floor(options.random.next() * nodes.length)
  const budgets = options.budgets()
  for (let tried = 0; tried < nodes.length; tried++) {
    if (candidates.length >= wanted && candidates.some(({ violations }) => violations === 0)) break
    const node: NodeInfo = nodes[(start + tried) % nodes.length]!
    const found = findVictims(pod, diagnosis.filters!.tryOn(node), budgets)
    if ('node' in found) candidates.push(found)
    else rejections.push(found)
  }
  return { candidates, rejections }
}

async function evict(
  pod: Pod,
  { node, victims }: Candidate,
  options: PreemptionOptions,
): Promise<'evicted' | 'failed'> {
  const displaced = options.nominatedTo(node).filter((other) => priorityOf(other) < priorityOf(pod))
  const results = await Promise.allSettled([
    ...displaced.map((other) => patchPodStatus(options, other, { nominatedNodeName: '' })),
    ...victims.map((victim) => evictVictim(victim.pod, pod, node, options)),
  ])
  // Somebody else removed it: that is as good.
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const failure = errors.find((error) => !isNotFound(error))
  if (failure === undefined) return 'evicted'
  options.log.warn('preemption failed', { pod: pod.metadata.name, node, error: String(failure) })
  return 'failed'
}

async function evictVictim(victim: Pod, pod: Pod, node: string, options: PreemptionOptions): Promise<void> {
  if (victim.metadata.deletionTimestamp !== undefined) return
  const { namespace, name, uid } = victim.metadata
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${pod.spec.schedulerName ?? 'default-scheduler'}: preempting to accommodate a higher priority pod`,
  }
  await patchPodStatus(options, victim, { condition })
  await options.client.delete(PODS, namespace!, name, { preconditions: { uid } })
  const message = `Preempted by pod ${pod.metadata.uid} on node ${node}`
  const about = { apiVersion: 'v1', kind: 'Pod', namespace: namespace!, name, uid }
  options.events.event(about, 'Normal', 'Preempted', message)
}
