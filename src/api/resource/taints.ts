/** Taints of devices and tolerations of requests. */
import type { DeviceTaint, DeviceToleration } from '#api/resource/v1.gen.ts'
import { checkEnum, checkLabelName, checkRequiredEnum, checkText } from '#api/validation.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { isValidLabelValue } from '#machinery/validation/names.ts'

const EFFECTS = ['NoExecute', 'NoSchedule', 'None']

export function checkTaint(errors: FieldError[], path: string, taint: DeviceTaint, old?: DeviceTaint): void {
  checkLabelName(errors, `${path}.key`, taint.key ?? '')
  if (taint.value) checkText(errors, `${path}.value`, taint.value, isValidLabelValue)
  if (old === undefined || old.effect !== taint.effect)
    checkRequiredEnum(errors, `${path}.effect`, taint.effect, EFFECTS)
}

export function checkToleration(errors: FieldError[], path: string, toleration: DeviceToleration): void {
  const { key = '', operator = 'Equal', value = '', effect } = toleration
  if (key !== '') checkLabelName(errors, `${path}.key`, key)
  if (operator === 'Exists' && value !== '')
    errors.push(invalidValue(`${path}.value`, value, 'must be empty for operator `Exists`'))
  if (operator === 'Equal') checkText(errors, `${path}.value`, value, isValidLabelValue)
  checkRequiredEnum(errors, `${path}.operator`, operator, ['Equal', 'Exists'])
  if (effect) checkEnum(errors, `${path}.effect`, effect, EFFECTS)
}
