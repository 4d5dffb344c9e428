/** Checks Services. */
import type { Service } from '#api/core/v1.gen.ts'
import { checkCidr } from '#api/cidr.ts'
import { checkIp } from '#api/ip.ts'
import {
  checkDnsSubdomain,
  checkEnum,
  checkLabels,
  checkPort,
  checkQualifiedName,
  checkRequiredEnum,
} from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'
import { checkEndpointIp } from '../endpoint-ip.ts'
import { validateClusterIpChange, validateClusterIps } from './cluster-ip-validation.ts'
import { validateServicePorts } from './port-validation.ts'
import { isExternallyAccessible, isHeadless, needsHealthCheckPort } from './service-rules.ts'

const SERVICE_TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
/** A day. */
const AFFINITY_SECONDS_MAX = 86_400
const BALANCERS_ONLY = "may only be used when `type` is 'LoadBalancer'"
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints'
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode'

export function validateService(service: Service, old: Service | null): FieldError[] {
  const errors: FieldError[] = []
  validateTopologyAnnotations(errors, service)
  validateType(errors, service)
  validateServicePorts(errors, service)
  checkLabels(errors, 'spec.selector', service.spec.selector)
  validateAffinity(errors, service)
  errors.push(...validateClusterIps(service, old))
  validateExternalIps(errors, service, old)
  checkRequiredEnum(errors, 'spec.type', service.spec.type, SERVICE_TYPES)
  validateSourceRanges(errors, service, old)
  validateBalancerFields(errors, service)
  validateTrafficPolicies(errors, service)
  return errors
}

function validateTopologyAnnotations(errors: FieldError[], { metadata }: Service): void {
  const { [TOPOLOGY_MODE]: mode, [TOPOLOGY_HINTS]: hints } = metadata.annotations ?? {}
  if (mode !== undefined && hints !== undefined && mode !== hints)
    errors.push(
      invalidValue(
        `metadata.annotations[${TOPOLOGY_MODE}]`,
        mode,
        `must match annotations[${TOPOLOGY_HINTS}] when both are specified`,
      ),
    )
}

function validateType(errors: FieldError[], service: Service): void {
  const { spec } = service
  if ((spec.ports ?? []).length === 0 && !isHeadless(service) && spec.type !== 'ExternalName')
    errors.push(required('spec.ports'))
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(service))
    errors.push(
      invalidValue('spec.clusterIPs[0]', spec.clusterIPs![0], `may not be set to 'None' for ${spec.type} services`),
    )
  if (spec.type !== 'ExternalName') return
  const isSet = {
    clusterIPs: (spec.clusterIPs ?? []).length > 0,
    ipFamilies: (spec.ipFamilies ?? []).length > 0,
    ipFamilyPolicy: spec.ipFamilyPolicy !== undefined,
  }
  for (const [field, set] of Object.entries(isSet))
    if (set) errors.push(forbiddenField(`spec.${field}`, 'may not be set for ExternalName services'))
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  if (name === '') errors.push(required('spec.externalName'))
  else checkDnsSubdomain(errors, 'spec.externalName', name)
}

function validateAffinity(errors: FieldError[], { spec }: Service): void {
  checkRequiredEnum(errors, 'spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None'])
  const path = 'spec.sessionAffinityConfig'
  const config = spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'None' && config !== undefined)
    errors.push(forbiddenField(path, 'must not be set when session affinity is None'))
  if (spec.sessionAffinity !== 'ClientIP') return
  const why = 'when session affinity type is ClientIP'
  const seconds = config?.clientIP?.timeoutSeconds
  if (config === undefined) errors.push(required(path, why))
  else if (config.clientIP === undefined) errors.push(required(`${path}.clientIP`, why))
  else if (seconds === undefined) errors.push(required(`${path}.clientIP.timeoutSeconds`, why))
  else if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX)
    errors.push(
      invalidValue(
        `${path}.clientIP.timeoutSeconds`,
        seconds,
        `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`,
      ),
    )
}

function validateExternalIps(errors: FieldError[], { spec }: Service, old: Service | null): void {
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) {
    const path = `spec.externalIPs[${i}]`
    const before = errors.length
    if (!(old?.spec.externalIPs ?? []).includes(ip)) checkIp(errors, path, ip)
    if (errors.length === before) checkEndpointIp(errors, path, ip)
  }
}

/** The field, or the annotation that came before it. */
function validateSourceRanges(errors: FieldError[], { metadata, spec }: Service, old: Service | null): void {
  const annotation = metadata.annotations?.[SOURCE_RANGES]
  const isBalancer = spec.type === 'LoadBalancer'
  if ((spec.loadBalancerSourceRanges ?? []).length > 0) {
    const path = 'spec.LoadBalancerSourceRanges'
    if (!isBalancer) errors.push(forbiddenField(path, BALANCERS_ONLY))
    const before = (old?.spec.loadBalancerSourceRanges ?? []).map((range) => range.trim())
    for (const [i, range] of spec.loadBalancerSourceRanges!.entries())
      if (!before.includes(range.trim())) checkCidr(errors, `${path}[${i}]`, range.trim())
  } else if (annotation !== undefined) {
    const path = `metadata.annotations[${SOURCE_RANGES}]`
    if (!isBalancer) errors.push(forbiddenField(path, BALANCERS_ONLY))
    if (old?.metadata.annotations?.[SOURCE_RANGES] === annotation || annotation.trim() === '') return
    for (const range of annotation.trim().split(',')) checkCidr(errors, path, range.trim())
  }
}

function validateBalancerFields(errors: FieldError[], { spec }: Service): void {
  const isBalancer = spec.type === 'LoadBalancer'
  const allocates = spec.allocateLoadBalancerNodePorts
  if (allocates !== undefined && !isBalancer)
    errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', BALANCERS_ONLY))
  // Upstream leaves `spec` out of this path.
  if (allocates === undefined && isBalancer) errors.push(required('allocateLoadBalancerNodePorts'))
  validateBalancerClass(errors, spec)
}

function validateBalancerClass(errors: FieldError[], { type, loadBalancerClass }: Service['spec']): void {
  const path = 'spec.loadBalancerClass'
  if (loadBalancerClass === undefined) return
  if (type === 'LoadBalancer') checkQualifiedName(errors, path, loadBalancerClass)
  else errors.push(forbiddenField(path, BALANCERS_ONLY))
}

function validateTrafficPolicies(errors: FieldError[], service: Service): void {
  const { spec } = service
  const path = 'spec.externalTrafficPolicy'
  if (isExternallyAccessible(service)) checkRequiredEnum(errors, path, spec.externalTrafficPolicy, ['Cluster', 'Local'])
  else if (spec.externalTrafficPolicy)
    errors.push(invalidValue(path, spec.externalTrafficPolicy, 'may only be set for externally-accessible services'))
  validateHealthCheckPort(errors, service)
  const isRouted = ['ClusterIP', 'NodePort', 'LoadBalancer'].includes(spec.type ?? '')
  if (spec.internalTrafficPolicy === undefined && isRouted) errors.push(required('spec.internalTrafficPolicy'))
  checkEnum(errors, 'spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local'])
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone']
  checkEnum(errors, 'spec.trafficDistribution', spec.trafficDistribution, distributions)
}

function validateHealthCheckPort(errors: FieldError[], service: Service): void {
  const port = service.spec.healthCheckNodePort ?? 0
  const path = 'spec.healthCheckNodePort'
  if (needsHealthCheckPort(service)) {
    if (port === 0) errors.push(required(path))
    else checkPort(errors, path, port)
  } else if (port !== 0) {
    const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    errors.push(invalidValue(path, port, text))
  }
}

export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const errors = validateClusterIpChange(service, old)
  const isBalancer = (candidate: Service): boolean => candidate.spec.type === 'LoadBalancer'
  const balancerClass = service.spec.loadBalancerClass
  if (isBalancer(service) && isBalancer(old) && balancerClass !== old.spec.loadBalancerClass)
    errors.push(invalidValue('spec.loadBalancerClass', balancerClass, 'may not change once set'))
  validateBalancerClass(errors, service.spec)
  const isSamePort = (service.spec.healthCheckNodePort ?? 0) === (old.spec.healthCheckNodePort ?? 0)
  if (needsHealthCheckPort(service) && needsHealthCheckPort(old) && !isSamePort)
    errors.push(forbiddenField('spec.healthCheckNodePort', 'field is immutable'))
  return [...errors, ...validateService(service, old)]
}
