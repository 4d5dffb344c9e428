/** Checks what a kubelet or controller reports of a pod. */
import type { ContainerStatus, Pod, PodCondition } from '#api/core/v1.gen.ts'
import { validateAnnotationUpdates } from '#api/core/pod-spec/annotations.ts'
import { checkIp, isDualStack } from '#api/ip.ts'
import { checkDnsSubdomain, checkId, checkQualifiedName } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue } from '#machinery/field-error.ts'
import { validateAllocatedResources, validateClaimStatuses } from './claim-status-validation.ts'
import { validateStateTransitions } from './state-transitions.ts'

const UINT32_MAX = 4_294_967_295
const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized'])
const STATUS_LISTS = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = []
  const status = pod.status ?? {}
  const path = 'metadata.annotations'
  validateAnnotationUpdates(errors, pod.metadata.annotations, { old: old.metadata.annotations, path })
  validateConditions(errors, status.conditions ?? [])
  if (pod.spec.nodeName !== old.spec.nodeName)
    errors.push(forbiddenField('status.nodeName', 'may not be changed directly'))
  validateNominatedNode(errors, pod, old)
  if ((status.observedGeneration ?? 0) < 0) {
    const text = 'must be a non-negative integer'
    errors.push(invalidValue('status.observedGeneration', status.observedGeneration, text))
  }
  if ((status.qosClass ?? '') !== (old.status?.qosClass ?? ''))
    errors.push(invalidValue('status.qosClass', status.qosClass ?? '', 'field is immutable'))
  validateStateTransitions(errors, pod, old)
  validateClaimStatuses(errors, pod)
  validatePodIps(errors, pod, old)
  validateHostIps(errors, pod, old)
  for (const list of STATUS_LISTS) validateUsers(errors, pod, { statuses: status[list] ?? [], path: `status.${list}` })
  validateAllocatedResources(errors, pod)
  return errors
}

function validateConditions(errors: FieldError[], conditions: readonly PodCondition[]): void {
  for (const [i, { type = '', observedGeneration = 0 }] of conditions.entries()) {
    const path = `status.conditions[${i}]`
    if (observedGeneration < 0)
      errors.push(invalidValue(`${path}.observedGeneration`, observedGeneration, 'must be a non-negative integer'))
    // Upstream spells this field with a capital.
    if (!SYSTEM_CONDITIONS.has(type)) checkQualifiedName(errors, `${path}.Type`, type)
  }
}

function validateNominatedNode(errors: FieldError[], pod: Pod, old: Pod): void {
  const node = pod.status?.nominatedNodeName ?? ''
  if (node === '' || node === (old.status?.nominatedNodeName ?? '')) return
  const path = 'status.nominatedNodeName'
  checkDnsSubdomain(errors, path, node)
  if ((old.spec.nodeName ?? '') !== '')
    errors.push(forbiddenField(path, 'may not be set on pods that are already bound to a node'))
}

const ONE_PER_FAMILY = 'may specify no more than one IP for each IP family'

function validatePodIps(errors: FieldError[], pod: Pod, old: Pod): void {
  const { podIP = '', podIPs = [] } = pod.status ?? {}
  const path = 'status.podIPs'
  const known = new Set((old.status?.podIPs ?? []).map(({ ip }) => ip))
  for (const [i, { ip }] of podIPs.entries()) if (!known.has(ip)) checkIp(errors, `${path}[${i}]`, ip)
  if (podIPs.length > 2 || (podIPs.length === 2 && !isDualStack(podIPs.map(({ ip }) => ip))))
    errors.push(invalidValue(path, podIPs, ONE_PER_FAMILY))
  if ((podIP !== '') !== podIPs.length > 0)
    errors.push(invalidValue(path, podIPs, 'podIP and podIPs must either both be set or both be unset'))
  else if (podIPs.length > 0 && podIPs[0]!.ip !== podIP)
    errors.push(invalidValue(`${path}[0].ip`, podIPs[0]!.ip, 'must be equal to `podIP`'))
}

function validateHostIps(errors: FieldError[], pod: Pod, old: Pod): void {
  const { hostIP = '', hostIPs = [] } = pod.status ?? {}
  const [first] = hostIPs
  if (first === undefined) return
  const path = 'status.hostIPs'
  if (first.ip !== hostIP) errors.push(invalidValue(`${path}[0].ip`, first.ip, 'must be equal to `hostIP`'))
  const known = new Set((old.status?.hostIPs ?? []).map(({ ip }) => ip))
  for (const [i, { ip }] of hostIPs.entries()) if (!known.has(ip)) checkIp(errors, `${path}[${i}]`, ip)
  if (hostIPs.length > 2 || (hostIPs.length === 2 && !isDualStack(hostIPs.map(({ ip }) => ip))))
    errors.push(invalidValue(path, hostIPs, ONE_PER_FAMILY))
}

type Statuses = { readonly statuses: readonly ContainerStatus[]; readonly path: string }

function validateUsers(errors: FieldError[], pod: Pod, { statuses, path }: Statuses): void {
  const os = pod.spec.os?.name ?? 'linux'
  for (const [i, { user }] of statuses.entries()) {
    const linux = user?.linux
    if (linux === undefined) continue
    const place = `${path}[${i}].user.linux`
    if (os === 'windows') errors.push(forbiddenField(place, 'cannot be set for a windows pod'))
    if (os !== 'linux') continue
    if (linux.uid < 0 || linux.uid > UINT32_MAX)
      errors.push(invalidValue(`${place}.uid`, linux.uid, `must be between 0 and ${UINT32_MAX}, inclusive`))
    checkId(errors, `${place}.gid`, linux.gid)
    linux.supplementalGroups?.forEach((group, j) => checkId(errors, `${place}.supplementalGroups[${j}]`, group))
  }
}
