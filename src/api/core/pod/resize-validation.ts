/** Checks writes of the subresource resize: only processor and memory of containers change, and of the pod. */
import type { Container, Pod, PodSpec, ResourceRequirements } from '#api/core/v1.gen.ts'
import { MIRROR_ANNOTATION } from '#api/core/pod-spec/annotations.ts'
import { isSidecar } from '#api/core/pod-spec/containers-of.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { podValidationOptions } from '#api/core/pod-spec/options.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { type FieldError, forbiddenField, invalidValue } from '#machinery/field-error.ts'
import { computeQosClass, qosClassOf } from './qos.ts'
import { validatePodContent } from './validation.ts'

const ONLY_CPU_AND_MEMORY = 'only cpu and memory resources are mutable'

export function validatePodResize(pod: Pod, old: Pod, features: FeatureGates): FieldError[] {
  if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined)
    return [forbiddenField('', 'static pods cannot be resized')]
  if (old.spec.os?.name === 'windows') return [forbiddenField('', 'windows pods cannot be resized')]
  const errors: FieldError[] = []
  validatePodContent(errors, pod, podValidationOptions(old, true, features))
  if (qosClassOf(old) !== computeQosClass(pod.spec)) {
    const text = 'Pod QOS Class may not change as a result of resizing'
    errors.push(invalidValue('spec', pod.status?.qosClass ?? '', text))
  }
  if (!isResizeSupported(old)) errors.push(forbiddenField('spec', 'Pod running on node without support for resize'))
  validatePodLevelResize(errors, pod, old)
  if (!isSameOrder(errors, pod.spec, old.spec)) return errors
  validateContainerResize(errors, pod, old)
  validateInitContainerResize(errors, pod, old)
  if (!isSemanticallyEqual(pod.spec.volumes, old.spec.volumes)) {
    const text =
      'volumes are immutable on resize when InPlacePodVerticalScalingMemoryBackedVolumes feature gate is disabled'
    errors.push(forbiddenField('spec.volumes', text))
  }
  if (errors.length > 0 || isSemanticallyEqual(withOldResources(pod.spec, old.spec), old.spec)) return errors
  return [forbiddenField('spec', ONLY_CPU_AND_MEMORY)]
}

/** A kubelet that reports resources of a running container can resize it. */
function isResizeSupported({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined)
  return running === undefined || running.resources !== undefined
}

function hasAmounts(resources: ResourceRequirements | undefined): boolean {
  return Object.keys({ ...resources?.requests, ...resources?.limits }).length > 0
}

function validatePodLevelResize(errors: FieldError[], pod: Pod, old: Pod): void {
  const [now, before] = [pod.spec.resources, old.spec.resources]
  if (!hasAmounts(now) && !hasAmounts(before)) return
  if (before !== undefined && now === undefined) {
    errors.push(forbiddenField('spec.resources', 'pod-level resources cannot be removed'))
    return
  }
  if (before !== undefined)
    checkNoneRemoved(errors, [now, before], { path: 'spec.resources', what: 'pod-level resource' })
  if (!isSemanticallyEqual(withOldAmounts(now, before), before))
    errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable at pod-level'))
}

type Requirements = ResourceRequirements | undefined

function checkNoneRemoved(
  errors: FieldError[],
  [now, before]: readonly [Requirements, Requirements],
  { path, what }: { readonly path: string; readonly what: string },
): void {
  for (const part of ['requests', 'limits'] as const) {
    const isRemoved = Object.keys(before?.[part] ?? {}).some((name) => now?.[part]?.[name] === undefined)
    if (isRemoved) errors.push(forbiddenField(`${path}.${part}`, `${what} ${part} cannot be removed`))
  }
}

function isSameOrder(errors: FieldError[], spec: PodSpec, old: PodSpec): boolean {
  const before = errors.length
  for (const list of ['containers', 'initContainers'] as const) {
    const [now, known] = [spec[list] ?? [], old[list] ?? []]
    if (now.length !== known.length)
      errors.push(forbiddenField(`spec.${list}`, `${list} may not be added or removed on resize`))
    else
      for (const [i, { name }] of known.entries())
        if (now[i]!.name !== name)
          errors.push(forbiddenField(`spec.${list}[${i}].name`, `${list} may not be renamed or reordered on resize`))
  }
  return errors.length === before
}

function validateContainerResize(errors: FieldError[], pod: Pod, old: Pod): void {
  for (const [i, container] of (pod.spec.containers ?? []).entries()) {
    const before = old.spec.containers[i]!
    const place = { path: `spec.containers[${i}].resources`, what: 'resource' }
    checkNoneRemoved(errors, [container.resources, before.resources], place)
    if (!isSemanticallyEqual(resized(container, before), before))
      errors.push(forbiddenField('spec', ONLY_CPU_AND_MEMORY))
  }
}

function validateInitContainerResize(errors: FieldError[], pod: Pod, old: Pod): void {
  for (const [i, container] of (pod.spec.initContainers ?? []).entries()) {
    const before = old.spec.initContainers![i]!
    const path = `spec.initContainers[${i}]`
    checkNoneRemoved(errors, [container.resources, before.resources], { path: `${path}.resources`, what: 'resource' })
    if (!isSemanticallyEqual(resized(container, before), before))
      errors.push(forbiddenField(path, 'only cpu and memory resources for init or sidecar containers are mutable'))
    if (isSidecar(container) || isSemanticallyEqual(container, before)) continue
    const text = 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized'
    for (const { restartPolicy } of container.resizePolicy ?? [])
      if (restartPolicy === 'RestartContainer') errors.push(forbiddenField(path, text))
  }
}

/** The container with the old amounts of what may be resized. */
function resized(container: Container, old: Container): Container {
  const copy = { ...container }
  const resources = withOldAmounts(container.resources, old.resources)
  if (resources === undefined) delete copy.resources
  else copy.resources = resources
  return copy
}

function withOldAmounts(resources: Requirements, old: Requirements): Requirements {
  if (resources === undefined) return resources
  const copy = { ...resources }
  for (const part of ['requests', 'limits'] as const) {
    const { cpu: _cpu, memory: _memory, ...others } = resources[part] ?? {}
    const { cpu, memory } = old?.[part] ?? {}
    const amounts = { ...others, ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) }
    if (Object.keys(amounts).length === 0) delete copy[part]
    else copy[part] = amounts
  }
  return old === undefined && Object.keys(copy).length === 0 ? undefined : copy
}

function withOldResources(spec: PodSpec, old: PodSpec): PodSpec {
  const copy: PodSpec = { ...spec, containers: spec.containers.map((one, i) => resized(one, old.containers[i]!)) }
  if (spec.initContainers)
    copy.initContainers = spec.initContainers.map((one, i) => resized(one, old.initContainers![i]!))
  const resources = withOldAmounts(spec.resources, old.resources)
  if (resources === undefined) delete copy.resources
  else copy.resources = resources
  return copy
}
