/** What both kinds of webhook configurations share: defaults, validation, generations. */
import type { MutatingWebhook, ValidatingWebhook } from '#api/admissionregistration/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration } from '#api/strategies.ts'
import { checkEnum, checkLabelSelector, checkText } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { validateFullyQualifiedName } from '#machinery/validation/fields.ts'
import { hasInvalidLabelValue } from '#machinery/validation/label-selector.ts'
import { isDns1035Label } from '#machinery/validation/names.ts'
import { checkMatchConditions } from './match-conditions.ts'
import { checkRule, setRuleDefaults } from './rules.ts'
import { staticNameErrors, staticNameWarnings } from './static-names.ts'
import { checkClientConfig } from './webhook-client.ts'

type Webhook = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>
type Configuration = KubernetesObject & { webhooks?: Webhook[] }

const TIMEOUT_SECONDS = 10
const TIMEOUT_SECONDS_MAX = 30
const WEBHOOK_PORT = 443
const REVIEW_VERSIONS = ['v1', 'v1beta1']
const NO_SIDE_EFFECTS = ['None', 'NoneOnDryRun']

export function webhookStrategy<T extends Configuration>(isMutating: boolean): Strategy<T> {
  return {
    requireResourceVersion: true,
    setDefaults({ webhooks = [] }) {
      for (const webhook of webhooks) setWebhookDefaults(webhook, isMutating)
    },
    prepareForCreate({ metadata }) {
      metadata.generation = 1
    },
    prepareForUpdate(configuration, old) {
      if (!isSemanticallyEqual(configuration.webhooks ?? [], old.webhooks ?? [])) bumpGeneration(configuration, old)
    },
    validate: (configuration) => [...validateWebhooks(configuration), ...staticNameErrors(configuration)],
    validateUpdate: validateWebhooks,
    warnings: (configuration, old) => (old === null ? [] : staticNameWarnings(configuration)),
  }
}

function setWebhookDefaults(webhook: Webhook, isMutating: boolean): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= TIMEOUT_SECONDS
  if (isMutating) webhook.reinvocationPolicy ??= 'Never'
  if (webhook.clientConfig.service !== undefined) webhook.clientConfig.service.port ??= WEBHOOK_PORT
  setRuleDefaults(webhook.rules)
}

/** What the webhooks may get wrong because they did so before. */
type Tolerance = {
  readonly sideEffects: boolean
  readonly reviewVersions: boolean
  readonly names: boolean
  readonly labelValues: boolean
  readonly conditions: boolean
}

function toleranceOf(webhooks: readonly Webhook[], old: readonly Webhook[]): Tolerance {
  return {
    sideEffects: old.some(({ sideEffects }) => !NO_SIDE_EFFECTS.includes(sideEffects)),
    reviewVersions: old.some(
      ({ admissionReviewVersions: versions = [] }) => versions.length > 0 && !knowsReview(versions),
    ),
    names: new Set(old.map(({ name }) => name)).size < old.length,
    labelValues: old.some(
      ({ namespaceSelector, objectSelector }) =>
        hasInvalidLabelValue(namespaceSelector) || hasInvalidLabelValue(objectSelector),
    ),
    conditions:
      old.length === webhooks.length &&
      old.every(({ matchConditions = [] }, i) =>
        isSemanticallyEqual(matchConditions, webhooks[i]?.matchConditions ?? []),
      ),
  }
}

const knowsReview = (versions: readonly string[]): boolean =>
  versions.some((version) => REVIEW_VERSIONS.includes(version))

function validateWebhooks({ webhooks = [] }: Configuration, old?: Configuration): FieldError[] {
  const errors: FieldError[] = []
  const tolerance =
    old === undefined
      ? { sideEffects: false, reviewVersions: false, names: false, labelValues: false, conditions: false }
      : toleranceOf(webhooks, old.webhooks ?? [])
  for (const [i, webhook] of webhooks.entries()) {
    const path = `webhooks[${i}]`
    checkWebhook(errors, path, webhook, tolerance)
    checkReviewVersions(errors, `${path}.admissionReviewVersions`, webhook.admissionReviewVersions ?? [], tolerance)
    const isSecond = webhooks.findIndex(({ name }) => name === webhook.name) < i
    if (!tolerance.names && webhook.name && isSecond) errors.push(duplicate(`${path}.name`, webhook.name))
  }
  return errors
}

function checkWebhook(errors: FieldError[], path: string, webhook: Webhook, tolerance: Tolerance): void {
  errors.push(...validateFullyQualifiedName(`${path}.name`, webhook.name ?? ''))
  for (const [i, rule] of (webhook.rules ?? []).entries()) checkRule(errors, `${path}.rules[${i}]`, rule)
  checkEnum(errors, `${path}.failurePolicy`, webhook.failurePolicy, ['Fail', 'Ignore'])
  checkEnum(errors, `${path}.matchPolicy`, webhook.matchPolicy, ['Equivalent', 'Exact'])
  checkSideEffects(errors, `${path}.sideEffects`, webhook.sideEffects, tolerance)
  const { timeoutSeconds: seconds = TIMEOUT_SECONDS } = webhook
  if (seconds < 1 || seconds > TIMEOUT_SECONDS_MAX) {
    const text = 'the timeout value must be between 1 and 30 seconds'
    errors.push(invalidValue(`${path}.timeoutSeconds`, seconds, text))
  }
  const options = { allowInvalidLabelValue: tolerance.labelValues }
  checkLabelSelector(errors, `${path}.namespaceSelector`, webhook.namespaceSelector, options)
  checkLabelSelector(errors, `${path}.objectSelector`, webhook.objectSelector, options)
  checkEnum(errors, `${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never'])
  checkClientConfig(errors, `${path}.clientConfig`, webhook.clientConfig)
  if (!tolerance.conditions) checkMatchConditions(errors, `${path}.matchConditions`, webhook.matchConditions ?? [])
}

function checkSideEffects(
  errors: FieldError[],
  path: string,
  value: string | undefined,
  { sideEffects: mayHave }: Tolerance,
): void {
  const allowed = mayHave ? [...NO_SIDE_EFFECTS, 'Some', 'Unknown'] : NO_SIDE_EFFECTS
  if (value === undefined) errors.push(required(path, `must specify one of ${allowed.join(', ')}`))
  else if (!allowed.includes(value)) errors.push(notSupported(path, value, allowed))
}

function checkReviewVersions(
  errors: FieldError[],
  path: string,
  versions: readonly string[],
  { reviewVersions: mayBeUnknown }: Tolerance,
): void {
  if (versions.length === 0) errors.push(required(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`))
  for (const [i, version] of versions.entries())
    if (versions.indexOf(version) < i) errors.push(invalidValue(`${path}[${i}]`, version, 'duplicate version'))
    else checkText(errors, `${path}[${i}]`, version, isDns1035Label)
  if (versions.length > 0 && !mayBeUnknown && !knowsReview(versions)) {
    const text = `must include at least one of ${REVIEW_VERSIONS.join(', ')}`
    errors.push(invalidValue(path, versions, text))
  }
}
