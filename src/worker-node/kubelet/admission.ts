/** Decides whether this node takes a pod that was bound to it: room, and sysctls that reach beyond the pod; pure. */
import type { Container, Pod } from '#api/core/v1.gen.ts'
import { takenPortsOf, isSameHostPort } from './host-ports.ts'
import { isStaticPod } from './pods/pod-facts.ts'
import type { Verdict } from './pods/pod-memory.ts'
import { quantityMilliValue, quantityValue } from './quantities.ts'

/** Namespaced by the kernel and harmless to neighbours (upstream's list of safe sysctls). */
const SAFE_SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
])

export type AdmissionFacts = {
  readonly allocatable: Readonly<Record<string, string>>
  readonly others: readonly Pod[]
}

export function admitPod(pod: Pod, { allocatable, others }: AdmissionFacts): Verdict | null {
  for (const { name } of pod.spec.securityContext?.sysctls ?? [])
    if (!SAFE_SYSCTLS.has(name))
      return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" not allowlisted` }
  if ((pod.spec.resourceClaims ?? []).length > 0)
    return {
      reason: 'UnexpectedAdmissionError',
      message: 'resource claims are not supported: this node prepares no devices',
    }
  if (isStaticPod(pod)) return null
  const podLimit = Number(allocatable['pods'] ?? Infinity)
  if (others.length + 1 > podLimit) return outOf('pods', { requested: 1, used: others.length, capacity: podLimit })
  for (const [resource, valueOf] of RESOURCES) {
    const capacity = allocatable[resource]
    if (capacity === undefined) continue
    const requested = podRequest(pod, resource, valueOf)
    const used = others.reduce((sum, other) => sum + podRequest(other, resource, valueOf), 0)
    if (requested > 0 && used + requested > valueOf(capacity))
      return outOf(resource, { requested, used, capacity: valueOf(capacity) })
  }
  if (hasPortConflict(pod, others))
    return {
      reason: 'NodePorts',
      message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    }
  return null
}

function hasPortConflict(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = takenPortsOf(pod)
  return (
    wanted.length > 0 &&
    others.some((other) => takenPortsOf(other).some((taken) => wanted.some((port) => isSameHostPort(port, taken))))
  )
}

/** Those that count for room on a node, with the unit they are counted in. */
export const RESOURCES: readonly (readonly [string, (text: string) => number])[] = [
  ['cpu', quantityMilliValue],
  ['memory', quantityValue],
]

function outOf(
  resource: string,
  { requested, used, capacity }: { readonly requested: number; readonly used: number; readonly capacity: number },
): Verdict {
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  }
}

/** What the scheduler counts: the sum of the containers, or an init container that needs more. */
export function podRequest(pod: Pod, resource: string, valueOf: (text: string) => number): number {
  const own = pod.spec.resources?.requests?.[resource]
  const overhead = valueOf(pod.spec.overhead?.[resource] ?? '0')
  if (own !== undefined) return valueOf(own) + overhead
  const of = (container: Container): number => valueOf(container.resources?.requests?.[resource] ?? '0')
  let [sidecars, peak] = [0, 0]
  for (const container of pod.spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') sidecars += of(container)
    else peak = Math.max(peak, sidecars + of(container))
  }
  return (
    Math.max(
      peak,
      pod.spec.containers.reduce((sum, container) => sum + of(container), sidecars),
    ) + overhead
  )
}
