/** Puts the status of a pod together from what the runtime, the probes and the worker know; pure. */
import type { ContainerStatus, PodStatus } from '#api/core/v1.gen.ts'
import type { ResizeState } from '../resize/resize-state.ts'
import { containerStatusOf, type StatusSources } from './container-status.ts'
import { conditionsOf, formatTime } from './pod-conditions.ts'
import { containersOf, isHostNetwork, qosClassOf } from './pod-facts.ts'
import { phaseOf, type Phase } from './pod-phase.ts'
import { podResourcesOf } from './pod-resources.ts'
import { activeOf } from './pod-state.ts'

export type PodStatusSources = Omit<StatusSources, 'old'> & {
  readonly resize: ResizeState
  readonly nowMs: number
  readonly hostIps: readonly string[]
  /** When this kubelet first saw the pod. */
  readonly startTimeMs: number
  /** No container of the pod runs, nor will one ever run again. */
  readonly isDone: boolean
  /** Why the kubelet itself ended the pod (eviction, deadline, admission), if it did. */
  readonly verdict: { readonly reason: string; readonly message: string } | null
}

/** `pod.status` is the status last written: addresses and times that the runtime no longer knows are kept from it. */
export function podStatusOf(sources: PodStatusSources): PodStatus {
  const { pod, state } = sources
  const before: PodStatus = pod.status ?? {}
  const old = statusesByName(before)
  const computed = containersOf(pod).map((target) => ({
    kind: target.kind,
    status: containerStatusOf(target, { ...sources, old }),
  }))
  const statuses = new Map(computed.map(({ status }) => [status.name, status]))
  const wasInitialized = pod.spec.containers.some((container) => activeOf(state, container.name))
  const phase = keepTerminal(
    // A pod is Failed only once nothing of it runs any more.
    sources.verdict && sources.isDone ? 'Failed' : phaseOf(pod, { statuses, isDone: sources.isDone, wasInitialized }),
    before.phase,
  )
  const of = (...kinds: string[]): ContainerStatus[] =>
    computed.filter(({ kind }) => kinds.includes(kind)).map(({ status }) => status)
  const verdict = sources.isDone ? sources.verdict : null
  const reason = verdict ?? (phase === before.phase ? before : {})
  // A pod that this node never took has nothing to say about containers.
  const isRefused = verdict !== null && state.sandboxes.length === 0 && before.containerStatuses === undefined
  const [init, ephemeral] = [of('init', 'sidecar'), of('ephemeral')]
  return {
    ...keepForeignFields(before),
    phase,
    ...(reason.reason && { reason: reason.reason }),
    ...(reason.message && { message: reason.message }),
    ...addressesOf(sources, before),
    startTime: before.startTime ?? formatTime(sources.startTimeMs),
    qosClass: before.qosClass ?? qosClassOf(pod),
    ...podResourcesOf(pod, state, phase),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    conditions: conditionsOf(pod, { phase, statuses, state, resize: sources.resize }, sources.nowMs),
    ...(!isRefused && { containerStatuses: of('regular') }),
    ...(init.length > 0 && !isRefused && { initContainerStatuses: init }),
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
  }
}

function statusesByName(status: PodStatus): Map<string, ContainerStatus> {
  const all = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ]
  return new Map(all.map((entry) => [entry.name, entry]))
}

/** A pod that has ended never begins again. */
const keepTerminal = (phase: Phase, before: string | undefined): Phase =>
  before === 'Succeeded' || before === 'Failed' ? before : phase

/** Fields that others write: scheduler, preemption, resource claims. */
function keepForeignFields(before: PodStatus): PodStatus {
  const { nominatedNodeName, resourceClaimStatuses, extendedResourceClaimStatus } = before
  return {
    ...(nominatedNodeName !== undefined && { nominatedNodeName }),
    ...(resourceClaimStatuses && { resourceClaimStatuses }),
    ...(extendedResourceClaimStatus && { extendedResourceClaimStatus }),
  }
}

function addressesOf({ pod, state, hostIps }: PodStatusSources, before: PodStatus): PodStatus {
  const newest = state.sandboxes[0]
  const live = isHostNetwork(pod) ? (newest ? hostIps : []) : newest?.ready ? newest.ips : []
  const podIps = live.length > 0 ? live.map((ip) => ({ ip })) : (before.podIPs ?? [])
  return {
    ...(hostIps[0] !== undefined && { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(podIps[0] !== undefined && { podIP: podIps[0].ip, podIPs: podIps }),
  }
}
