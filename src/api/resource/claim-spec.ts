/** What a claim for devices may ask, and what is filled in. */
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from '#api/resource/v1.gen.ts'
import { asSent } from '#api/go-values/show-as-go.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import { checkDeclared, checkDnsLabel, checkDnsSubdomain, checkEnum } from '#api/validation.ts'
import { declared, duplicate, type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { isLongName } from '#machinery/validation/names.ts'
import { checkConfiguration, checkEach, checkSelectors } from './device-config.ts'
import { checkFullyQualified } from './names.ts'
import { checkToleration } from './taints.ts'

export function setClaimDefaults(spec: ResourceClaimSpec | undefined): void {
  for (const { exactly, firstAvailable = [] } of spec?.devices?.requests ?? [])
    for (const request of [...firstAvailable, ...(exactly === undefined ? [] : [exactly])]) setRequestDefaults(request)
}

export function setRequestDefaults(
  request: Pick<ExactDeviceRequest, 'allocationMode' | 'count' | 'tolerations'>,
): void {
  request.allocationMode ||= 'ExactCount'
  if (request.allocationMode === 'ExactCount') request.count ||= 1
  for (const toleration of request.tolerations ?? []) toleration.operator ??= 'Equal'
}

export function validateClaimSpec(
  spec: ResourceClaimSpec | undefined,
  path: string,
  features: FeatureGates,
): FieldError[] {
  const errors: FieldError[] = []
  const devices = spec?.devices ?? {}
  const { requests = [] } = devices
  checkEach(errors, `${path}.devices.requests`, requests, (place, request) => checkRequest(errors, place, request))
  for (const [i, request] of requests.entries())
    if (requests.findIndex(({ name }) => name === request.name) < i)
      errors.push(
        declared(duplicate(`${path}.devices.requests[${i}]`, asSent('io.k8s.api.resource.v1.DeviceRequest', request))),
      )
  const knows = requestNamesOf(devices)
  checkEach(errors, `${path}.devices.constraints`, devices.constraints, (place, constraint) => {
    checkReferences(errors, `${place}.requests`, constraint.requests ?? [], knows)
    checkConstraint(errors, place, constraint, features)
  })
  checkEach(errors, `${path}.devices.config`, devices.config, (place, config) => {
    checkReferences(errors, `${place}.requests`, config.requests ?? [], knows)
    checkConfiguration(errors, place, config)
  })
  return errors
}

type KnowsName = (name: string) => boolean

/** Names of requests, and of their alternatives with a slash between them. */
export function requestNamesOf({ requests }: DeviceClaim): KnowsName {
  const names = new Set<string>()
  // A claim without requests is stored with a null in their place.
  for (const { name, firstAvailable = [] } of requests ?? []) {
    names.add(name)
    for (const alternative of firstAvailable) names.add(`${name}/${alternative.name}`)
  }
  return (name) => names.has(name)
}

function checkRequest(errors: FieldError[], path: string, request: DeviceRequest): void {
  checkDnsLabel(errors, `${path}.name`, request.name ?? '')
  const { exactly, firstAvailable = [] } = request
  const text = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly === undefined && firstAvailable.length === 0) errors.push(required(path, text))
  else if (exactly !== undefined && firstAvailable.length > 0)
    errors.push(invalidValue(path, null, `${text}, but multiple fields are set`))
  else if (exactly !== undefined) checkExact(errors, `${path}.exactly`, exactly)
  for (const [i, alternative] of (exactly === undefined ? firstAvailable : []).entries())
    checkAlternative(errors, `${path}.firstAvailable[${i}]`, alternative)
}

function checkAlternative(errors: FieldError[], path: string, request: DeviceSubRequest): void {
  checkDnsLabel(errors, `${path}.name`, request.name ?? '')
  const { deviceClassName = '' } = request
  if (deviceClassName === '') errors.push(declared(required(`${path}.deviceClassName`)))
  else checkDeclared(errors, `${path}.deviceClassName`, deviceClassName, isLongName)
  checkRest(errors, path, request)
}

function checkExact(errors: FieldError[], path: string, request: ExactDeviceRequest): void {
  const { deviceClassName = '' } = request
  if (deviceClassName === '') errors.push(required(`${path}.deviceClassName`))
  else checkDnsSubdomain(errors, `${path}.deviceClassName`, deviceClassName)
  checkRest(errors, path, request)
}

/** What a request and an alternative have in common. */
function checkRest(errors: FieldError[], path: string, request: ExactDeviceRequest | DeviceSubRequest): void {
  const { allocationMode: mode = '', count = 0 } = request
  checkSelectors(errors, `${path}.selectors`, request.selectors)
  if (mode === 'All' && count !== 0)
    errors.push(invalidValue(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
  if (mode === 'ExactCount' && count <= 0)
    errors.push(invalidValue(`${path}.count`, count, 'must be greater than zero'))
  checkEnum(errors, `${path}.allocationMode`, mode, ['All', 'ExactCount'])
  for (const [i, toleration] of (request.tolerations ?? []).entries())
    checkToleration(errors, `${path}.tolerations[${i}]`, toleration)
}

function checkConstraint(
  errors: FieldError[],
  path: string,
  { matchAttribute: same, distinctAttribute: distinct }: DeviceConstraint,
  features: FeatureGates,
): void {
  if (same !== undefined) checkFullyQualified(errors, `${path}.matchAttribute`, same)
  else if (distinct !== undefined) checkFullyQualified(errors, `${path}.distinctAttribute`, distinct)
  else if (!features.isEnabled('DRAConsumableCapacity')) errors.push(required(`${path}.matchAttribute`))
  else {
    const text = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
    errors.push(required(path, text))
  }
}

export function checkReferences(errors: FieldError[], path: string, names: readonly string[], knows: KnowsName): void {
  const text = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
  checkEach(errors, path, names, (place, name) => {
    const segments = name.split('/')
    if (segments.length <= 2) for (const segment of segments) checkDnsLabel(errors, place, segment)
    if (!knows(name)) errors.push(invalidValue(place, name, text))
  })
  for (const [i, name] of names.entries())
    if (names.indexOf(name) < i) errors.push(declared(duplicate(`${path}[${i}]`, name)))
}
