/** How writes of pods are prepared and checked: main resource, status, ephemeral containers, resize. */
import type { Container, Pod, PodStatus } from '#api/core/v1.gen.ts'
import { completePodResources } from '#api/core/pod-spec/pod-resources.ts'
import { dropDisabledFields } from '#api/core/pod-spec/drop-disabled.ts'
import { podWarnings } from '#api/core/pod-spec/warnings.ts'
import { ipWarnings } from '#api/ip.ts'
import type { Strategy, StrategyContext } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration, keepMetaForStatus, keepSpec, keepStatus } from '#api/strategies.ts'
import { isDns1123Label } from '#machinery/validation/names.ts'
import { applyAppArmorAnnotations } from './app-armor.ts'
import { dropDisabledStatusFields } from './drop-disabled-status.ts'
import { setPodDefaults } from './defaults.ts'
import { validateEphemeralContainersUpdate } from './ephemeral-validation.ts'
import { applyMatchLabelKeys } from './match-label-keys.ts'
import { computeQosClass } from './qos.ts'
import { validatePodResize } from './resize-validation.ts'
import { validatePodStatusUpdate } from './status-validation.ts'
import { validatePodUpdate } from './update-validation.ts'
import { validatePod } from './validation.ts'

export const podStrategy: Strategy<Pod> = {
  setDefaults: setPodDefaults,
  prepareForCreate,
  prepareForUpdate,
  validate: validatePod,
  validateUpdate(pod, old, { subresource, features }) {
    if (subresource === 'status') return validatePodStatusUpdate(pod, old)
    if (subresource === 'ephemeralcontainers') return validateEphemeralContainersUpdate(pod, old, features)
    if (subresource === 'resize') return validatePodResize(pod, old, features)
    return validatePodUpdate(pod, old, features)
  },
  warnings: (pod, old) => (old === null ? createWarnings(pod) : updateWarnings(pod)),
  graceSeconds: podGraceSeconds,
}

function prepareForCreate(pod: Pod, context: StrategyContext): void {
  pod.metadata.generation = 1
  pod.status = { phase: 'Pending' }
  dropDisabledFields(pod.spec, { old: undefined, metadata: pod.metadata, features: context.features })
  if ((pod.spec.schedulingGates ?? []).length > 0) pod.status.conditions = [gatedCondition(context)]
  applyMatchLabelKeys(pod)
  applyAppArmorAnnotations(pod, context)
  completePodResources(pod.spec)
  pod.status.qosClass = computeQosClass(pod.spec)
}

function gatedCondition({ clock }: StrategyContext): NonNullable<PodStatus['conditions']>[number] {
  return {
    type: 'PodScheduled',
    status: 'False',
    lastTransitionTime: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  }
}

function prepareForUpdate(pod: Pod, old: Pod, context: StrategyContext): void {
  const { subresource } = context
  if (subresource === 'status') {
    prepareStatus(pod, old, context)
    return
  }
  if (subresource === 'ephemeralcontainers') prepareEphemeralContainers(pod, old)
  else if (subresource === 'resize') prepareResize(pod, old)
  else keepStatus(pod, old)
  // Clients that do not know the field would drop it.
  if (pod.spec.resources === undefined && old.spec.resources !== undefined && subresource !== 'ephemeralcontainers')
    pod.spec.resources = structuredClone(old.spec.resources)
  if (subresource === 'resize') completePodResources(pod.spec)
  dropDisabledFields(pod.spec, { old: old.spec, metadata: pod.metadata, features: context.features })
  if (!isSemanticallyEqual(pod.spec, old.spec)) bumpGeneration(pod, old)
}

function prepareEphemeralContainers(pod: Pod, old: Pod): void {
  const added = pod.spec.ephemeralContainers
  pod.spec = { ...old.spec }
  if (added === undefined) delete pod.spec.ephemeralContainers
  else pod.spec.ephemeralContainers = added
  keepStatus(pod, old)
  keepMetaForStatus(pod, old)
}

/** Only resources and resize policies are taken over; a change of the set of containers stays for validation to refuse. */
function prepareResize(pod: Pod, old: Pod): void {
  const { spec } = pod
  const isSame = (['containers', 'initContainers'] as const).every(
    (list) => (spec[list] ?? []).length === (old.spec[list] ?? []).length,
  )
  if (!isSame) return
  pod.spec = { ...old.spec, containers: takeResources(spec.containers, old.spec.containers) }
  if (spec.initContainers) pod.spec.initContainers = takeResources(spec.initContainers, old.spec.initContainers ?? [])
  if (spec.resources === undefined) delete pod.spec.resources
  else pod.spec.resources = spec.resources
  keepStatus(pod, old)
  keepMetaForStatus(pod, old)
}

function takeResources(containers: Container[], old: readonly Container[]): Container[] {
  if (containers.some(({ name }, i) => name !== old[i]?.name)) return containers
  return containers.map(({ resources, resizePolicy }, i) => {
    const { resources: _resources, resizePolicy: _policy, ...rest } = old[i]!
    return { ...rest, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) }
  })
}

function prepareStatus(pod: Pod, old: Pod, { features }: StrategyContext): void {
  keepSpec(pod, old)
  delete pod.metadata.deletionTimestamp
  // Old kubelets would damage owner references here.
  if (old.metadata.ownerReferences === undefined) delete pod.metadata.ownerReferences
  else pod.metadata.ownerReferences = old.metadata.ownerReferences
  const status = (pod.status ??= {})
  const before = old.status ?? {}
  if (!status.qosClass && before.qosClass !== undefined) status.qosClass = before.qosClass
  keepClaimStatuses(status, before)
  dropDisabledStatusFields(status, before, features)
  keepObservedGenerations(status, before)
}

function keepClaimStatuses(status: PodStatus, old: PodStatus): void {
  if (old.resourceClaimStatuses) status.resourceClaimStatuses ??= old.resourceClaimStatuses
  if (old.extendedResourceClaimStatus) status.extendedResourceClaimStatus ??= old.extendedResourceClaimStatus
  if (old.nodeAllocatableResourceClaimStatuses)
    status.nodeAllocatableResourceClaimStatuses ??= old.nodeAllocatableResourceClaimStatuses
}

function keepObservedGenerations(status: PodStatus, old: PodStatus): void {
  if (!status.observedGeneration && old.observedGeneration) status.observedGeneration = old.observedGeneration
  const known = (old.conditions ?? []).slice()
  for (const condition of status.conditions ?? []) {
    const position = known.findIndex(({ type }) => type === condition.type)
    if (position === -1) continue
    const [before] = known.splice(position, 1)
    if (!condition.observedGeneration && before!.observedGeneration)
      condition.observedGeneration = before!.observedGeneration
  }
}

function createWarnings(pod: Pod): string[] {
  const problems = isDns1123Label(pod.metadata.name)
  const prefix =
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended:"
  const own = problems.length === 0 ? [] : [`${prefix} [${problems.join(' ')}]`]
  return [...own, ...podWarnings(pod)]
}

/** Writes of pods are frequent and mostly by machines: only addresses of a status are looked at. */
function updateWarnings({ status }: Pod): string[] {
  return [
    ...(status?.podIPs ?? []).flatMap(({ ip }, i) => ipWarnings(`status.podIPs[${i}].ip`, ip)),
    ...(status?.hostIPs ?? []).flatMap(({ ip }, i) => ipWarnings(`status.hostIPs[${i}].ip`, ip)),
  ]
}

/** A pod that no node runs, or that has ended, goes at once. */
function podGraceSeconds(pod: Pod, requested: number | undefined): number {
  const isEnded = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
  if ((pod.spec.nodeName ?? '') === '' || isEnded) return 0
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0
  return seconds < 0 ? 1 : seconds
}
