/** How CSIDrivers are completed, prepared and checked. */
import { DEFAULT_FEATURE_GATES, type FeatureGates } from '#base/feature-gates.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { CSIDriver, CSIDriverSpec } from '#api/storage/v1.gen.ts'
import { bumpGeneration } from '#api/strategies.ts'
import { checkEnum } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, required } from '#machinery/field-error.ts'

const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType']
const LIFECYCLE_MODES = ['Ephemeral', 'Persistent']
const UPDATE_PERIOD_SECONDS_MIN = 10
const TOKEN_SECONDS_MIN = 600
const TOKEN_SECONDS_MAX = 2 ** 32
const TOKENS_WARNING =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'

export const csiDriverStrategy: Strategy<CSIDriver> = {
  requireResourceVersion: true,
  setDefaults(driver, _nowMs, features = DEFAULT_FEATURE_GATES) {
    const spec = (driver.spec ??= {})
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
    if (features.isEnabled('VolumeLimitScaling')) spec.preventPodSchedulingIfMissing ??= false
  },
  prepareForCreate: (driver, { features }) => dropLimitScaling(driver, undefined, features),
  // Upstream counts changes but does not start at 1: a new driver has no generation.
  prepareForUpdate(driver, old, { features }) {
    dropLimitScaling(driver, old, features)
    if (!isSemanticallyEqual(driver.spec, old.spec)) bumpGeneration(driver, old)
  },
  validate: ({ spec }, { features }) => validateSpec(spec, features),
  validateUpdate({ spec }, { spec: old }, { features }) {
    const errors = validateSpec(spec, features)
    // Upstream's path has a letter too many.
    if (spec.attachRequired !== old.attachRequired)
      errors.push(invalidValue('spec.attachedRequired', spec.attachRequired, 'field is immutable'))
    if (!isSemanticallyEqual(spec.volumeLifecycleModes, old.volumeLifecycleModes))
      errors.push(invalidValue('spec.volumeLifecycleModes', spec.volumeLifecycleModes, 'field is immutable'))
    return errors
  },
  warnings: ({ spec }, old) =>
    old === null && (spec.tokenRequests ?? []).length > 0 && spec.serviceAccountTokenInSecrets === undefined
      ? [TOKENS_WARNING]
      : [],
}

function dropLimitScaling({ spec }: CSIDriver, old: CSIDriver | undefined, features: FeatureGates): void {
  const isKept = features.isEnabled('VolumeLimitScaling') || old?.spec.preventPodSchedulingIfMissing !== undefined
  if (!isKept) delete spec.preventPodSchedulingIfMissing
}

function validateSpec(spec: CSIDriverSpec, features: FeatureGates): FieldError[] {
  const errors: FieldError[] = []
  if (spec.attachRequired === undefined) errors.push(required('spec.attachedRequired'))
  for (const field of ['podInfoOnMount', 'storageCapacity', 'seLinuxMount'] as const)
    if (spec[field] === undefined) errors.push(required(`spec.${field}`))
  if (features.isEnabled('VolumeLimitScaling') && spec.preventPodSchedulingIfMissing === undefined)
    errors.push(required('spec.preventPodSchedulingIfMissing'))
  checkEnum(errors, 'spec.fsGroupPolicy', spec.fsGroupPolicy, GROUP_POLICIES)
  validateTokenRequests(errors, spec)
  for (const mode of spec.volumeLifecycleModes ?? [])
    checkEnum(errors, 'spec.volumeLifecycleModes', mode, LIFECYCLE_MODES)
  const period = spec.nodeAllocatableUpdatePeriodSeconds
  if (period !== undefined && period < UPDATE_PERIOD_SECONDS_MIN)
    errors.push(
      invalidValue('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds'),
    )
  const inSecrets = spec.serviceAccountTokenInSecrets
  if (inSecrets !== undefined && (spec.tokenRequests ?? []).length === 0) {
    const text = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified'
    errors.push(invalidValue('spec.serviceAccountTokenInSecrets', inSecrets, text))
  }
  return errors
}

function validateTokenRequests(errors: FieldError[], { tokenRequests = [] }: CSIDriverSpec): void {
  for (const [i, { audience = '', expirationSeconds: seconds }] of tokenRequests.entries()) {
    const path = `spec.tokenRequests[${i}]`
    if (tokenRequests.findIndex((other) => (other.audience ?? '') === audience) < i) {
      errors.push(duplicate(`${path}.audience`, audience))
      continue
    }
    if (seconds === undefined) continue
    const refuse = (text: string): void => void errors.push(invalidValue(`${path}.expirationSeconds`, seconds, text))
    if (seconds < TOKEN_SECONDS_MIN) refuse('may not specify a duration less than 10 minutes')
    if (seconds > TOKEN_SECONDS_MAX) refuse('may not specify a duration larger than 2^32 seconds')
  }
}
