/** How writes of Services are prepared and checked, after the allocators have had their turn. */
import type { Service } from '#api/core/v1.gen.ts'
import { ipWarnings } from '#api/ip.ts'
import type { Strategy } from '#api/kind.ts'
import { clearStatus, keepSpec, keepStatus } from '#api/strategies.ts'
import { setServiceDefaults } from './defaults.ts'
import {
  isExternallyAccessible,
  needsClusterIp,
  needsHealthCheckPort,
  needsNodePort,
  sameClusterIps,
  sameTexts,
} from './service-rules.ts'
import { validateServiceStatus } from './status-validation.ts'
import { validateService, validateServiceUpdate } from './validation.ts'
import { serviceWarnings } from './warnings.ts'

export const serviceStrategy: Strategy<Service> = {
  allowCreateOnUpdate: true,
  setDefaults: setServiceDefaults,
  prepareForCreate(service) {
    clearStatus(service)
    dropInternalPolicy(service)
  },
  prepareForUpdate(service, old, { subresource, warn }) {
    if (subresource === 'status') {
      keepSpec(service, old)
      for (const [i, { ip = '' }] of (service.status?.loadBalancer?.ingress ?? []).entries())
        for (const text of ipWarnings(`status.loadBalancer.ingress[${i}]`, ip)) warn(text)
      return
    }
    keepStatus(service, old)
    dropTypeDependentFields(service, old)
    dropInternalPolicy(service)
  },
  validate: (service) => validateService(service, null),
  validateUpdate: (service, old, { subresource }) =>
    subresource === 'status'
      ? validateServiceStatus(
          service.spec.type,
          service.status?.loadBalancer?.ingress,
          old.status?.loadBalancer?.ingress,
        )
      : validateServiceUpdate(service, old),
  warnings: serviceWarnings,
}

/** An external name is not routed. Values that are no policy stay, to be refused. */
function dropInternalPolicy({ spec }: Service): void {
  const isPolicy = spec.internalTrafficPolicy === 'Cluster' || spec.internalTrafficPolicy === 'Local'
  if (spec.type === 'ExternalName' && isPolicy) delete spec.internalTrafficPolicy
}

/** A client that changes the type need not clear what the old type brought along, as long as it has not touched it. */
function dropTypeDependentFields(service: Service, old: Service): void {
  const { spec } = service
  if (needsClusterIp(old) && !needsClusterIp(service)) {
    if (sameClusterIps(service, old)) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (sameTexts(spec.ipFamilies, old.spec.ipFamilies)) delete spec.ipFamilies
    if (spec.ipFamilyPolicy === old.spec.ipFamilyPolicy) delete spec.ipFamilyPolicy
  }
  if (needsNodePort(old) && !needsNodePort(service) && hasOnlyNodePortsOf(service, old))
    for (const port of spec.ports ?? []) delete port.nodePort
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(service)) dropSame(service, old, 'healthCheckNodePort')
  if (old.spec.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    dropSame(service, old, 'allocateLoadBalancerNodePorts')
    dropSame(service, old, 'loadBalancerClass')
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(service)) dropSame(service, old, 'externalTrafficPolicy')
  if (spec.type !== 'LoadBalancer' && service.status !== undefined)
    service.status = { ...service.status, loadBalancer: {} }
}

function dropSame({ spec }: Service, old: Service, field: keyof Service['spec']): void {
  if (spec[field] === old.spec[field]) delete spec[field]
}

function hasOnlyNodePortsOf({ spec }: Service, old: Service): boolean {
  const before = new Set((old.spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0))
  return (spec.ports ?? []).every(({ nodePort = 0 }) => nodePort === 0 || before.has(nodePort))
}
