/** Checks what a load balancer reports in a status: Services and Ingresses have the same list. */
import type { LoadBalancerIngress } from '#api/core/v1.gen.ts'
import { checkIp, parseSloppy } from '#api/ip.ts'
import { checkDnsSubdomain, checkEnum } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, required } from '#machinery/field-error.ts'

const PATH = 'status.loadBalancer.ingress'

type Ingresses = readonly LoadBalancerIngress[] | undefined

export function validateServiceStatus(type: string | undefined, ingresses: Ingresses, old: Ingresses): FieldError[] {
  if (type !== 'LoadBalancer' && (ingresses ?? []).length > 0)
    return [forbiddenField(PATH, "may only be used when `spec.type` is 'LoadBalancer'")]
  const errors: FieldError[] = []
  for (const [i, ingress] of (ingresses ?? []).entries()) {
    const path = `${PATH}[${i}]`
    validateBalancerAddress(errors, path, ingress, old)
    const { ip = '', ipMode } = ingress
    if (ipMode === undefined) {
      if (ip !== '') errors.push(required(`${path}.ipMode`, 'must be specified when `ip` is set'))
    } else if (ip === '') errors.push(forbiddenField(`${path}.ipMode`, 'may not be specified when `ip` is not set'))
    else checkEnum(errors, `${path}.ipMode`, ipMode, ['Proxy', 'VIP'])
    validateHostname(errors, `${path}.hostname`, ingress.hostname)
  }
  return errors
}

type Addressed = { readonly ip?: string }

/** Addresses that were there before stay valid, however they are written. */
export function validateBalancerAddress(
  errors: FieldError[],
  path: string,
  { ip = '' }: Addressed,
  old: readonly Addressed[] | undefined,
): void {
  if (ip !== '' && !(old ?? []).some((before) => before.ip === ip)) checkIp(errors, `${path}.ip`, ip)
}

export function validateHostname(errors: FieldError[], path: string, hostname = ''): void {
  if (hostname === '') return
  checkDnsSubdomain(errors, path, hostname)
  if (parseSloppy(hostname) !== '') errors.push(invalidValue(path, hostname, 'must be a DNS name, not an IP address'))
}
