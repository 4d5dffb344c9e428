/** Facts about a pod that follow from its spec alone. */
import { createHash } from 'node:crypto'
import type { Container, EphemeralContainer, Pod } from '#api/core/v1.gen.ts'
import { CONFIG_MIRROR, CONFIG_SOURCE } from '../runtime/labels.ts'
import { quantityNumber } from '../quantities.ts'

export type ContainerKind = 'init' | 'sidecar' | 'regular' | 'ephemeral'

export type PodContainer = { readonly kind: ContainerKind; readonly container: Container | EphemeralContainer }

export const DEFAULT_GRACE_PERIOD_SECONDS = 30

/** An init container that runs beside the others for the pod's whole life. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

export function containersOf(pod: Pod): PodContainer[] {
  return [
    ...(pod.spec.initContainers ?? []).map((container): PodContainer => ({
      kind: isSidecar(container) ? 'sidecar' : 'init',
      container,
    })),
    ...pod.spec.containers.map((container): PodContainer => ({ kind: 'regular', container })),
    ...(pod.spec.ephemeralContainers ?? []).map((container): PodContainer => ({ kind: 'ephemeral', container })),
  ]
}

export function findContainer(pod: Pod, name: string): PodContainer | undefined {
  return containersOf(pod).find((entry) => entry.container.name === name)
}

/** Whether a container that ended with `exitCode` runs again: its rules first, then its policy, then the pod's. */
export function shouldRestart(pod: Pod, { kind, container }: PodContainer, exitCode: number): boolean {
  if (kind === 'ephemeral') return false
  const rule = container.restartPolicyRules?.find((candidate) => matchesExitCode(candidate.exitCodes, exitCode))
  if (rule?.action === 'Restart' || rule?.action === 'RestartAllContainers') return true
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always'
  if (kind === 'init') return exitCode !== 0 && policy !== 'Never'
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

function matchesExitCode(
  condition: { readonly operator: string; readonly values?: readonly number[] } | undefined,
  exitCode: number,
): boolean {
  if (!condition) return false
  const listed = condition.values?.includes(exitCode) ?? false
  return condition.operator === 'In' ? listed : condition.operator === 'NotIn' ? !listed : false
}

/** A container with another hash has to be replaced; upstream takes the name and the image, the two that may change. */
export function containerHash(container: Container | EphemeralContainer): string {
  return createHash('sha1')
    .update(JSON.stringify([container.name, container.image]))
    .digest('hex')
    .slice(0, 8)
}

/** The pod in upstream's messages: `web-1_default(6f1c…)`. */
export function formatPod(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
}

export const isHostNetwork = (pod: Pod): boolean => pod.spec.hostNetwork === true

/** Read from the manifest folder, not from the API server. */
export const isStaticPod = (pod: Pod): boolean => {
  const source = pod.metadata.annotations?.[CONFIG_SOURCE]
  return source !== undefined && source !== 'api'
}

export const isMirrorPod = (pod: Pod): boolean => pod.metadata.annotations?.[CONFIG_MIRROR] !== undefined

export const isTerminal = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

/** By cpu and memory of all containers, or of the pod as a whole where it says so. */
export function qosClassOf(pod: Pod): QosClass {
  const podLevel = pod.spec.resources
  const all = podLevel?.requests || podLevel?.limits ? [podLevel] : allResources(pod)
  let some = false
  let guaranteed = true
  for (const resources of all) {
    for (const name of ['cpu', 'memory']) {
      const limit = amount(resources?.limits, name)
      const request = amount(resources?.requests, name) || limit
      some ||= limit > 0 || request > 0
      guaranteed &&= limit > 0 && request === limit
    }
  }
  return !some ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable'
}

const allResources = (pod: Pod): Container['resources'][] =>
  [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((container) => container.resources)

const amount = (list: Record<string, string> | undefined, name: string): number => quantityNumber(list?.[name] ?? '0')

/** Seconds between the stop signal and SIGKILL when nothing else is asked. */
export function gracePeriodOf(pod: Pod): number {
  return (
    pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_PERIOD_SECONDS
  )
}
