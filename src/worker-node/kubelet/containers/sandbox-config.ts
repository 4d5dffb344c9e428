/** The configuration of a pod's sandbox, as CRI takes it. */
import type { Pod } from '#api/core/v1.gen.ts'
import { CONFIG_SOURCE, POD_NAME_LABEL, POD_NAMESPACE_LABEL, POD_UID_LABEL } from '../runtime/labels.ts'
import { Protocol } from '../runtime/proto/cri_pb.ts'
import type { SandboxConfig } from '../runtime/runtime-service.ts'
import type { HostPort } from '../../host-port-service.ts'
import { hostPortsOf } from '../host-ports.ts'
import { isHostNetwork } from '../pods/pod-facts.ts'
import { dnsOf, type DnsFacts } from './dns.ts'
import { hostnameOf } from './hosts-file.ts'
import { sandboxSecurityContext } from './security-context.ts'

export type SandboxInputs = {
  readonly attempt: number
  readonly logDirectory: string
  readonly cgroupParent: string
  readonly dns: DnsFacts
  readonly seccompDir: string
}

const PROTOCOLS: Readonly<Record<HostPort['protocol'], Protocol>> = {
  TCP: Protocol.TCP,
  UDP: Protocol.UDP,
  SCTP: Protocol.SCTP,
}

export function sandboxConfig(pod: Pod, inputs: SandboxInputs): SandboxConfig {
  const dns = dnsOf(pod, inputs.dns)
  const { name, namespace = 'default', uid, labels, annotations } = pod.metadata
  return {
    metadata: { name, namespace, uid, attempt: inputs.attempt },
    // On the node's network there is no own UTS namespace whose name could be set.
    hostname: isHostNetwork(pod) ? '' : hostnameOf(pod, inputs.dns.clusterDomain).hostname,
    logDirectory: inputs.logDirectory,
    dnsConfig: { servers: [...dns.servers], searches: [...dns.searches], options: [...dns.options] },
    labels: { ...labels, [POD_NAME_LABEL]: name, [POD_NAMESPACE_LABEL]: namespace, [POD_UID_LABEL]: uid },
    annotations: { [CONFIG_SOURCE]: 'api', ...annotations },
    portMappings: portMappings(pod),
    linux: {
      cgroupParent: inputs.cgroupParent,
      securityContext: sandboxSecurityContext(pod, inputs.seccompDir),
      sysctls: Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
    },
  }
}

function portMappings(pod: Pod): NonNullable<SandboxConfig['portMappings']> {
  if (isHostNetwork(pod)) return []
  return hostPortsOf(pod).map(({ protocol, ...port }) => ({ ...port, protocol: PROTOCOLS[protocol] }))
}
