/** Adds a taint to all devices that a selector finds. */
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import type { DeviceTaintRule } from '#api/resource/v1.gen.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { formatAge } from '#api/table-cells.ts'
import { checkDnsLabel } from '#api/validation.ts'
import { type FieldError, tooMany } from '#machinery/field-error.ts'
import { validateConditions } from '#machinery/validation/fields.ts'
import { checkDriver, checkPool } from '../names.ts'
import { checkTaint } from '../taints.ts'

const CONDITIONS_MAX = 8
const parts = specStatusStrategy<DeviceTaintRule>({ generation: true, resetsMetaForStatus: true })

const strategy: Strategy<DeviceTaintRule> = {
  requireResourceVersion: true,
  setDefaults({ spec }, nowMs) {
    spec.taint.timeAdded ??= formatSeconds(nowMs)
  },
  prepareForCreate: parts.prepareForCreate,
  prepareForUpdate(rule, old, context) {
    const [taint, before] = [rule.spec.taint, old.spec.taint]
    if (taint.effect !== before.effect && taint.timeAdded === before.timeAdded)
      taint.timeAdded = formatSeconds(context.clock.now())
    parts.prepareForUpdate(rule, old, context)
  },
  validate: (rule) => validateRule(rule),
  validateUpdate: (rule, old, { subresource }) =>
    subresource === 'status' ? validateStatus(rule) : validateRule(rule, old),
}

const formatSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

function validateRule({ spec }: DeviceTaintRule, old?: DeviceTaintRule): FieldError[] {
  const errors: FieldError[] = []
  const { driver, pool, device } = spec.deviceSelector ?? {}
  if (driver !== undefined) checkDriver(errors, 'spec.deviceSelector.driver', driver)
  if (pool !== undefined) checkPool(errors, 'spec.deviceSelector.pool', pool)
  if (device !== undefined) checkDnsLabel(errors, 'spec.deviceSelector.device', device)
  checkTaint(errors, 'spec.taint', spec.taint, old?.spec.taint)
  return errors
}

function validateStatus({ status }: DeviceTaintRule): FieldError[] {
  const conditions = status?.conditions ?? []
  const errors = validateConditions(conditions, 'status.conditions')
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany('status.conditions', conditions.length, CONDITIONS_MAX))
  return errors
}

export const deviceTaintRuleKind = defineKind<DeviceTaintRule>('resource.k8s.io/v1/devicetaintrules', {
  storageVersion: 'v1beta2',
  strategy,
  row: ({ metadata, spec }, nowMs) => [
    metadata.name,
    spec.taint?.key ?? '',
    spec.taint?.value ?? '',
    spec.taint?.effect ?? '',
    formatAge(spec.taint?.timeAdded, nowMs),
    formatAge(metadata.creationTimestamp, nowMs),
  ],
})
