/** Checks the addresses and families of a Service, and how an update may change them. */
import type { Service } from '#api/core/v1.gen.ts'
import { checkIp, isDualStack } from '#api/ip.ts'
import { duplicate, type FieldError, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { familyOf, isHeadless, NO_CLUSTER_IP } from './service-rules.ts'

const IPS = 'spec.clusterIPs'
const FAMILIES = 'spec.ipFamilies'
const POLICY = 'spec.ipFamilyPolicy'
const SUPPORTED_FAMILIES = ['IPv4', 'IPv6']
const SUPPORTED_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const NO_CHANGE = 'may not change once set'

export function validateClusterIps(service: Service, old: Service | null): FieldError[] {
  const { spec } = service
  if (spec.type === 'ExternalName') return []
  const errors = [...formErrors(service), ...familyErrors(service)]
  const before = errors.length
  errors.push(...addressErrors(service, old))
  const ips = spec.clusterIPs ?? []
  if (errors.length > before) {
    if (ips.length > 2) errors.push(invalidValue(IPS, ips, 'may only hold up to 2 values'))
    return errors
  }
  if (ips.length > 2) errors.push(invalidValue(IPS, ips, 'may only hold up to 2 values'))
  if (ips.length > 1 && !isDualStack(ips))
    errors.push(invalidValue(IPS, ips, 'may specify no more than one IP for each IP family'))
  if (!isHeadless(service)) errors.push(...matchErrors(ips, spec.ipFamilies ?? []))
  return errors
}

/** `clusterIP` is the first of `clusterIPs`. */
function formErrors({ spec }: Service): FieldError[] {
  const ips = spec.clusterIPs ?? []
  if (!spec.clusterIP)
    return ips.length === 0 ? [] : [invalidValue(IPS, ips, 'must be empty when `clusterIP` is not specified')]
  if (ips.length === 0) return [required(IPS)]
  return ips[0] === spec.clusterIP ? [] : [invalidValue(IPS, ips, 'first value must match `clusterIP`')]
}

function familyErrors({ spec }: Service): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (!SUPPORTED_FAMILIES.includes(family)) errors.push(notSupported(`${FAMILIES}[${i}]`, family, SUPPORTED_FAMILIES))
    if (spec.ipFamilies!.indexOf(family) < i) errors.push(duplicate(`${FAMILIES}[${i}]`, family))
  }
  const policy = spec.ipFamilyPolicy
  if (policy !== undefined && !SUPPORTED_POLICIES.includes(policy))
    errors.push(notSupported(POLICY, policy, SUPPORTED_POLICIES))
  return errors
}

function addressErrors({ spec }: Service, old: Service | null): FieldError[] {
  const errors: FieldError[] = []
  const ips = spec.clusterIPs ?? []
  for (const [i, ip] of ips.entries()) {
    if (i === 0 && ip === NO_CLUSTER_IP) {
      if (ips.length > 1) errors.push(invalidValue(IPS, ips, "'None' must be the first and only value"))
    } else if (!(old?.spec.clusterIPs ?? []).includes(ip)) checkIp(errors, `${IPS}[${i}]`, ip)
  }
  return errors
}

function matchErrors(ips: readonly string[], families: readonly string[]): FieldError[] {
  return ips.slice(0, families.length).flatMap((ip, i) => {
    const family = families[i]!
    if (!SUPPORTED_FAMILIES.includes(family) || familyOf(ip) === family) return []
    return [invalidValue(`${IPS}[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``)]
  })
}

export function validateClusterIpChange(service: Service, old: Service): FieldError[] {
  if (service.spec.type === 'ExternalName' || old.spec.type === 'ExternalName') return []
  const [isNone, wasNone] = [isHeadless(service), isHeadless(old)]
  const errors = isNone && wasNone ? [] : addressChangeErrors(service, old)
  return isNone || wasNone ? errors : [...errors, ...familyChangeErrors(service, old)]
}

function addressChangeErrors({ spec }: Service, old: Service): FieldError[] {
  const [ips, before] = [spec.clusterIPs ?? [], old.spec.clusterIPs ?? []]
  if (ips.length === before.length)
    return before.flatMap((ip, i) => (ip === ips[i] ? [] : [invalidValue(`${IPS}[${i}]`, spec.clusterIPs, NO_CHANGE)]))
  const errors: FieldError[] = []
  if (ips.length === 0) errors.push(invalidValue(`${IPS}[0]`, spec.clusterIPs, 'primary clusterIP can not be unset'))
  else if (before.length > 0 && ips[0] !== before[0]) errors.push(invalidValue(`${IPS}[0]`, ips, NO_CHANGE))
  if (before.length > ips.length && ips.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
    errors.push(
      invalidValue(POLICY, spec.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary clusterIP"),
    )
  return errors
}

function familyChangeErrors({ spec }: Service, old: Service): FieldError[] {
  const [families, before] = [spec.ipFamilies ?? [], old.spec.ipFamilies ?? []]
  const path = `${FAMILIES}[0]`
  if (families.length === before.length)
    return before.flatMap((family, i) => (family === families[i] ? [] : [invalidValue(path, families, NO_CHANGE)]))
  const errors: FieldError[] = []
  const isFewer = families.length < before.length
  if (isFewer && (spec.clusterIPs ?? []).length === 0)
    errors.push(invalidValue(path, families, 'primary ipFamily can not be unset'))
  if (families.length > 0 && before.length > 0 && families[0] !== before[0])
    errors.push(invalidValue(path, spec.clusterIPs, NO_CHANGE))
  if (isFewer && families.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
    errors.push(
      invalidValue(POLICY, spec.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary ipFamily"),
    )
  return errors
}
