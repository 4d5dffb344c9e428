/** Fills the defaults of pods beyond those of their spec. */
import type { Container, ContainerStatus, Pod, PodStatus } from '#api/core/v1.gen.ts'
import { setPodSpecDefaults } from '#api/core/pod-spec/defaults.ts'
import { setHttpProtocols } from '#api/core/pod-spec/http-protocol.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { roundAmounts, roundRequirements } from '#api/core/pod-spec/resource-defaults.ts'

export function setPodDefaults(pod: Pod, _nowMs?: number, features?: FeatureGates): void {
  const spec = (pod.spec ??= { containers: [] })
  const grace = spec.terminationGracePeriodSeconds
  if (grace !== undefined && grace < 0) spec.terminationGracePeriodSeconds = 1
  spec.containers?.forEach(setRequestDefaults)
  spec.initContainers?.forEach(setRequestDefaults)
  spec.enableServiceLinks ??= true
  if (spec.hostNetwork === true) {
    spec.containers?.forEach(setHostPortDefaults)
    spec.initContainers?.forEach(setHostPortDefaults)
  }
  setPodSpecDefaults(spec)
  setHttpProtocols(spec, features)
  if (pod.status !== undefined) setPodStatusDefaults(pod.status)
}

/** Who limits a resource without asking for it asks for as much. */
function setRequestDefaults({ resources }: Container): void {
  if (resources?.limits === undefined) return
  resources.requests = { ...resources.limits, ...resources.requests }
}

function setHostPortDefaults({ ports = [] }: Container): void {
  for (const port of ports) port.hostPort ||= port.containerPort
}

function setPodStatusDefaults(status: PodStatus): void {
  const { podIP = '', podIPs = [] } = status
  if (podIP !== '' && podIPs[0]?.ip !== podIP) status.podIPs = [{ ip: podIP }]
  else if (podIP === '' && podIPs.length > 0) status.podIP = podIPs[0]!.ip
  status.initContainerStatuses?.forEach(roundStatus)
  status.containerStatuses?.forEach(roundStatus)
  status.ephemeralContainerStatuses?.forEach(roundStatus)
  roundAmounts(status.allocatedResources)
  roundRequirements(status.resources)
}

function roundStatus({ allocatedResources, resources }: ContainerStatus): void {
  roundAmounts(allocatedResources)
  roundRequirements(resources)
}
