/** How ServiceCIDRs are prepared and checked: a second family may join, nothing else changes. */
import { checkCanonicalCidr } from '#api/cidr.ts'
import type { Strategy } from '#api/kind.ts'
import type { ServiceCIDR } from '#api/networking/v1.gen.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'

const PATH = 'spec.cidrs'
const IMMUTABLE = 'field is immutable'
const ONE_PER_FAMILY = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'

/** Without it, status may be written with the rest. */
const STATUS_GATE = 'ServiceCIDRStatusFieldWiping'

const parts = specStatusStrategy<ServiceCIDR>({ generation: false, resetsMetaForStatus: true })

export const serviceCidrStrategy: Strategy<ServiceCIDR> = {
  prepareForCreate(object, context) {
    if (context.features.isEnabled(STATUS_GATE)) parts.prepareForCreate(object, context)
  },
  prepareForUpdate(object, old, context) {
    const isKept = context.subresource === 'status' || context.features.isEnabled(STATUS_GATE)
    if (isKept) parts.prepareForUpdate(object, old, context)
  },
  validate: validateRanges,
  validateUpdate: (object, old, { subresource }) => (subresource === 'status' ? [] : validateChange(object, old)),
}

function validateRanges({ spec = {} }: ServiceCIDR): FieldError[] {
  const ranges = spec.cidrs ?? []
  if (ranges.length === 0) return [required(PATH, 'at least one CIDR required')]
  if (ranges.length > 2) return [invalidValue(PATH, spec, 'may only hold up to 2 values')]
  const errors: FieldError[] = []
  for (const [i, range] of ranges.entries()) checkCanonicalCidr(errors, `${PATH}[${i}]`, range)
  const families = new Set(ranges.map((range) => range.includes(':')))
  if (errors.length === 0 && ranges.length === 2 && families.size === 1)
    errors.push(invalidValue(PATH, ranges, ONE_PER_FAMILY))
  return errors
}

function validateChange(object: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const ranges = object.spec?.cidrs ?? []
  const before = old.spec?.cidrs ?? []
  const isGrowing = before.length === 1 && ranges.length === 2
  if (ranges.length !== before.length && !isGrowing) return [invalidValue(PATH, ranges, IMMUTABLE)]
  const errors = before.flatMap((range, i) =>
    range === ranges[i] ? [] : [invalidValue(`${PATH}[${i}]`, ranges[i], IMMUTABLE)],
  )
  return isGrowing ? [...errors, ...validateRanges(object)] : errors
}
