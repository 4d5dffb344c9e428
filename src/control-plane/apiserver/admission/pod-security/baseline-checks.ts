/** The checks of the level `baseline`: nothing that is known to break out of a container. */
import type { Container, PodSpec } from '#api/core/v1.gen.ts'
import { appArmorProfile, seccompAnnotations, seccompProfile, seLinuxOptions } from './profile-checks.ts'
import {
  allContainers,
  containersText,
  counted,
  hasUserNamespace,
  namesWhere,
  quoted,
  settersText,
  sorted,
  unless,
  type Check,
  type CheckPod,
} from './check.ts'

const CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

const capabilities: CheckPod = (spec) => {
  const forbiddenOf = ({ securityContext }: Container): readonly string[] =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !CAPABILITIES.has(name))
  const names = namesWhere(spec, (container) => forbiddenOf(container).length > 0)
  if (names.length === 0) return null
  const forbidden = quoted(sorted(allContainers(spec).flatMap(forbiddenOf)))
  return {
    reason: 'non-default capabilities',
    detail: `${containersText(names)} must not include ${forbidden} in securityContext.capabilities.add`,
  }
}

const hostNamespaces: CheckPod = (spec) => {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true)
  return shared.length === 0
    ? null
    : { reason: 'host namespaces', detail: shared.map((field) => `${field}=true`).join(', ') }
}

const hostPathVolumes: CheckPod = ({ volumes }) => {
  const names = (volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name)
  return names.length === 0
    ? null
    : { reason: 'hostPath volumes', detail: `${counted(names, 'volume')} ${quoted(names)}` }
}

const hostPorts: CheckPod = (spec) => {
  const portsOf = ({ ports }: Container): string[] =>
    (ports ?? []).filter(({ hostPort }) => (hostPort ?? 0) !== 0).map(({ hostPort }) => String(hostPort))
  const names = namesWhere(spec, (container) => portsOf(container).length > 0)
  if (names.length === 0) return null
  const ports = sorted(allContainers(spec).flatMap(portsOf))
  return {
    reason: 'hostPort',
    detail: `${containersText(names)} ${counted(names, 'uses', 'use')} ${counted(ports, 'hostPort')} ${ports.join(', ')}`,
  }
}

/** Kubelets send these from the node: a host that the pod names could be any. */
const hostProbes: CheckPod = (spec) => {
  const names = sorted(namesWhere(spec, (container) => hostsOf(container).length > 0))
  if (names.length === 0) return null
  const hosts = sorted(allContainers(spec).flatMap(hostsOf))
  const what = counted(hosts, 'probe or lifecycle host')
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersText(names)} ${counted(names, 'uses', 'use')} ${what} ${quoted(hosts)}`,
  }
}

function hostsOf({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): string[] {
  const handlers = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
  return handlers.flatMap((handler) =>
    [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host) => host !== undefined && host !== ''),
  ) as string[]
}

const privileged: CheckPod = (spec) => {
  const names = namesWhere(spec, ({ securityContext }) => securityContext?.privileged === true)
  return names.length === 0
    ? null
    : { reason: 'privileged', detail: `${containersText(names)} must not set securityContext.privileged=true` }
}

export const procMount: CheckPod = (spec) => {
  const typeOf = ({ securityContext }: Container): string => securityContext?.procMount ?? 'Default'
  const names = namesWhere(spec, (container) => typeOf(container) !== 'Default')
  if (names.length === 0) return null
  const types = sorted(
    allContainers(spec)
      .map(typeOf)
      .filter((type) => type !== 'Default'),
  )
  return {
    reason: 'procMount',
    detail: `${containersText(names)} must not set securityContext.procMount to ${quoted(types)}`,
  }
}

const SYSCTLS: readonly { readonly since: number; readonly names: readonly string[] }[] = [
  {
    since: 0,
    names: [
      'kernel.shm_rmid_forced',
      'net.ipv4.ip_local_port_range',
      'net.ipv4.tcp_syncookies',
      'net.ipv4.ping_group_range',
      'net.ipv4.ip_unprivileged_port_start',
    ],
  },
  { since: 27, names: ['net.ipv4.ip_local_reserved_ports'] },
  {
    since: 29,
    names: [
      'net.ipv4.tcp_keepalive_time',
      'net.ipv4.tcp_fin_timeout',
      'net.ipv4.tcp_keepalive_intvl',
      'net.ipv4.tcp_keepalive_probes',
    ],
  },
  { since: 32, names: ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'] },
  { since: 37, names: ['net.ipv4.tcp_slow_start_after_idle', 'net.ipv4.tcp_notsent_lowat'] },
]

function sysctlsSince(version: number): CheckPod {
  const allowed = new Set(SYSCTLS.filter(({ since }) => since <= version).flatMap(({ names }) => names))
  return ({ securityContext }: PodSpec) => {
    const forbidden = (securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.has(name))
    return forbidden.length === 0 ? null : { reason: 'forbidden sysctls', detail: forbidden.join(', ') }
  }
}

const windowsHostProcess: CheckPod = (spec) => {
  const setters = settersText(
    spec.securityContext?.windowsOptions?.hostProcess === true,
    namesWhere(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true),
  )
  return setters === ''
    ? null
    : { reason: 'hostProcess', detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` }
}

/** By id, the order of their texts. */
export const BASELINE_CHECKS: readonly Check[] = [
  { id: 'appArmorProfile', versions: [{ since: 0, check: appArmorProfile }] },
  { id: 'capabilities_baseline', versions: [{ since: 0, check: capabilities }] },
  { id: 'hostNamespaces', versions: [{ since: 0, check: hostNamespaces }] },
  { id: 'hostPathVolumes', versions: [{ since: 0, check: hostPathVolumes }] },
  { id: 'hostPorts', versions: [{ since: 0, check: hostPorts }] },
  { id: 'hostProbesAndHostLifecycle', versions: [{ since: 34, check: hostProbes }] },
  { id: 'privileged', versions: [{ since: 0, check: privileged }] },
  {
    id: 'procMount',
    versions: [
      { since: 0, check: procMount },
      { since: 35, check: unless(hasUserNamespace, procMount) },
    ],
  },
  {
    id: 'seLinuxOptions',
    versions: [
      { since: 0, check: seLinuxOptions(false) },
      { since: 31, check: seLinuxOptions(true) },
    ],
  },
  {
    id: 'seccompProfile_baseline',
    versions: [
      { since: 0, check: seccompAnnotations },
      { since: 19, check: seccompProfile },
    ],
  },
  { id: 'sysctls', versions: SYSCTLS.map(({ since }) => ({ since, check: sysctlsSince(since) })) },
  { id: 'windowsHostProcess', versions: [{ since: 0, check: windowsHostProcess }] },
]
