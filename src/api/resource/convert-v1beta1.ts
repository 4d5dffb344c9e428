/** Claims and slices of resource.k8s.io/v1beta1, whose requests and devices have another shape, in the form of v1 and back. */
import type * as v1 from '#api/resource/v1.gen.ts'
import type * as v1beta1 from '#api/resource/v1beta1.gen.ts'
import type { Conversion } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

type Functions<T extends KubernetesObject> = Omit<Conversion<T>, 'storedAs'>

const OWN = 'resource.k8s.io/v1beta1'
const STORED = 'resource.k8s.io/v1'

export const CLAIM_CONVERSION: Functions<v1beta1.ResourceClaim> = {
  toStored: (claim) => ({ ...claim, apiVersion: STORED, spec: toStoredClaimSpec(claim.spec) }) as v1.ResourceClaim,
  fromStored(object) {
    const claim = object as v1.ResourceClaim
    return { ...claim, apiVersion: OWN, spec: fromStoredClaimSpec(claim.spec) } as v1beta1.ResourceClaim
  },
}

export const CLAIM_TEMPLATE_CONVERSION: Functions<v1beta1.ResourceClaimTemplate> = {
  toStored(template) {
    const spec = { ...template.spec, spec: toStoredClaimSpec(template.spec.spec) }
    return { ...template, apiVersion: STORED, spec } as v1.ResourceClaimTemplate
  },
  fromStored(object) {
    const template = object as v1.ResourceClaimTemplate
    const spec = { ...template.spec, spec: fromStoredClaimSpec(template.spec.spec) }
    return { ...template, apiVersion: OWN, spec } as v1beta1.ResourceClaimTemplate
  },
}

export const SLICE_CONVERSION: Functions<v1beta1.ResourceSlice> = {
  toStored(slice) {
    const { nodeName, allNodes, devices, ...spec } = slice.spec
    const stored = {
      ...spec,
      ...(nodeName ? { nodeName } : {}),
      ...(allNodes === true ? { allNodes } : {}),
      ...(devices === undefined ? {} : { devices: devices.map(toStoredDevice) }),
    }
    return { ...slice, apiVersion: STORED, spec: stored } as v1.ResourceSlice
  },
  fromStored(object) {
    const { spec: stored, ...slice } = object as v1.ResourceSlice
    const { devices, ...spec } = stored
    const own = { ...spec, ...(devices === undefined ? {} : { devices: devices.map(fromStoredDevice) }) }
    return { ...slice, apiVersion: OWN, spec: own } as v1beta1.ResourceSlice
  },
}

function toStoredDevice({ name, basic }: v1beta1.Device): v1.Device {
  return { name, ...basic } as v1.Device
}

function fromStoredDevice({ name, ...basic }: v1.Device): v1beta1.Device {
  return { name, basic: basic as v1beta1.BasicDevice }
}

function toStoredClaimSpec(spec: v1beta1.ResourceClaimSpec | undefined): v1.ResourceClaimSpec | undefined {
  const requests = spec?.devices?.requests
  if (spec === undefined || requests === undefined) return spec as v1.ResourceClaimSpec | undefined
  return { ...spec, devices: { ...spec.devices, requests: requests.map(toStoredRequest) } } as v1.ResourceClaimSpec
}

function fromStoredClaimSpec(spec: v1.ResourceClaimSpec | undefined): v1beta1.ResourceClaimSpec | undefined {
  const requests = spec?.devices?.requests
  if (spec === undefined || requests === undefined) return spec as v1beta1.ResourceClaimSpec | undefined
  const own = requests.map(fromStoredRequest)
  return { ...spec, devices: { ...spec.devices, requests: own } } as v1beta1.ResourceClaimSpec
}

/** Any of the flat fields makes an exact request, were it beside alternatives: the rules of v1 refuse both at once. */
function toStoredRequest({ name, firstAvailable, ...flat }: v1beta1.DeviceRequest): v1.DeviceRequest {
  const isExact = Object.values(flat).some((value) => value !== undefined && value !== '' && value !== 0)
  return {
    name,
    ...(isExact ? { exactly: flat as v1.ExactDeviceRequest } : {}),
    ...(firstAvailable === undefined ? {} : { firstAvailable }),
  } as v1.DeviceRequest
}

function fromStoredRequest({ name, exactly, firstAvailable }: v1.DeviceRequest): v1beta1.DeviceRequest {
  return {
    name,
    ...exactly,
    ...(firstAvailable === undefined ? {} : { firstAvailable }),
  } as v1beta1.DeviceRequest
}
