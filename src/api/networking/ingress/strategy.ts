/** How Ingresses are prepared and checked. */
import { validateBalancerAddress, validateHostname } from '#api/core/service/status-validation.ts'
import { ipWarnings } from '#api/ip.ts'
import type { Strategy } from '#api/kind.ts'
import type { Ingress } from '#api/networking/v1.gen.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { validateIngressSpec } from './validation.ts'

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
const BALANCERS = 'status.loadBalancer.ingress'

const base = specStatusStrategy<Ingress>({ generation: true })

export const ingressStrategy: Strategy<Ingress> = {
  ...base,
  prepareForUpdate(ingress, old, context) {
    base.prepareForUpdate(ingress, old, context)
    if (context.subresource !== 'status') return
    for (const [i, { ip = '' }] of (ingress.status?.loadBalancer?.ingress ?? []).entries())
      for (const text of ipWarnings(`${BALANCERS}[${i}]`, ip)) context.warn(text)
  },
  validate(ingress) {
    const errors = validateIngressSpec(ingress.spec ?? {}, null)
    const annotation = ingress.metadata.annotations?.[CLASS_ANNOTATION]
    const name = ingress.spec?.ingressClassName
    if (annotation !== undefined && name !== undefined && annotation !== name)
      errors.push(
        invalidValue(
          `annotations.${CLASS_ANNOTATION}`,
          annotation,
          'must match `ingressClassName` when both are specified',
        ),
      )
    return errors
  },
  validateUpdate: (ingress, old, { subresource }) =>
    subresource === 'status' ? validateStatus(ingress, old) : validateIngressSpec(ingress.spec ?? {}, old),
  warnings: ({ metadata, spec }, old) =>
    old === null && metadata.annotations?.[CLASS_ANNOTATION] !== undefined && spec?.ingressClassName === undefined
      ? [`annotation ${JSON.stringify(CLASS_ANNOTATION)} is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
}

function validateStatus(ingress: Ingress, old: Ingress): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, balancer] of (ingress.status?.loadBalancer?.ingress ?? []).entries()) {
    const path = `${BALANCERS}[${i}]`
    validateBalancerAddress(errors, path, balancer, old.status?.loadBalancer?.ingress)
    validateHostname(errors, `${path}.hostname`, balancer.hostname)
  }
  return errors
}
