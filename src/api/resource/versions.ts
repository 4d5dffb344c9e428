/** The versions of resource.k8s.io that are off by default. */
import { defineVersion, type VersionLifecycle } from '#api/define-version.ts'
import type * as v1beta1 from '#api/resource/v1beta1.gen.ts'
import { setRequestDefaults } from './claim-spec.ts'
import { CLAIM_CONVERSION, CLAIM_TEMPLATE_CONVERSION, SLICE_CONVERSION } from './convert-v1beta1.ts'
import { deviceClassKind } from './device-class/kind.ts'
import { deviceTaintRuleKind } from './device-taint-rule/kind.ts'
import { resourceClaimKind } from './resource-claim/kind.ts'
import { resourceClaimTemplateKind } from './resource-claim-template/kind.ts'
import { resourceSliceKind } from './resource-slice/kind.ts'

const BETA_1: VersionLifecycle = { deprecatedIn: 35, removedIn: 38 }
const BETA_2: VersionLifecycle = { deprecatedIn: 36, removedIn: 39 }

/** A request without a class has alternatives, which have the defaults. */
function setDefaults(spec: v1beta1.ResourceClaimSpec | undefined): void {
  for (const request of spec?.devices?.requests ?? []) {
    if (request.deviceClassName) setRequestDefaults(request)
    for (const alternative of request.firstAvailable ?? []) setRequestDefaults(alternative)
  }
}

export const RESOURCE_VERSIONS = [
  defineVersion('resource.k8s.io/v1beta1/deviceclasses', deviceClassKind, { lifecycle: BETA_1 }),
  defineVersion<v1beta1.ResourceClaim>('resource.k8s.io/v1beta1/resourceclaims', resourceClaimKind, {
    lifecycle: BETA_1,
    conversion: CLAIM_CONVERSION,
    setDefaults: ({ spec }) => setDefaults(spec),
  }),
  defineVersion<v1beta1.ResourceClaimTemplate>(
    'resource.k8s.io/v1beta1/resourceclaimtemplates',
    resourceClaimTemplateKind,
    {
      lifecycle: BETA_1,
      conversion: CLAIM_TEMPLATE_CONVERSION,
      setDefaults: ({ spec }) => setDefaults(spec.spec),
    },
  ),
  defineVersion<v1beta1.ResourceSlice>('resource.k8s.io/v1beta1/resourceslices', resourceSliceKind, {
    lifecycle: BETA_1,
    conversion: SLICE_CONVERSION,
  }),
  defineVersion('resource.k8s.io/v1beta2/deviceclasses', deviceClassKind, { lifecycle: BETA_2 }),
  defineVersion('resource.k8s.io/v1beta2/devicetaintrules', deviceTaintRuleKind, {
    lifecycle: { deprecatedIn: 39, removedIn: 42 },
    answersDeleted: true,
  }),
  defineVersion('resource.k8s.io/v1beta2/resourceclaims', resourceClaimKind, { lifecycle: BETA_2 }),
  defineVersion('resource.k8s.io/v1beta2/resourceclaimtemplates', resourceClaimTemplateKind, { lifecycle: BETA_2 }),
  defineVersion('resource.k8s.io/v1beta2/resourceslices', resourceSliceKind, { lifecycle: BETA_2 }),
  defineVersion('resource.k8s.io/v1alpha3/devicetaintrules', deviceTaintRuleKind, {
    lifecycle: BETA_2,
    answersDeleted: true,
  }),
]
