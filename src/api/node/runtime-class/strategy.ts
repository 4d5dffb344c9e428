/** How RuntimeClasses are checked. */
import { oldLabelText } from '#api/core/pod-spec/node-label-warnings.ts'
import { validateContainerResources } from '#api/core/pod-spec/resources.ts'
import { validateTolerations } from '#api/core/pod-spec/tolerations.ts'
import type { Strategy } from '#api/kind.ts'
import type { RuntimeClass } from '#api/node/v1.gen.ts'
import { checkDnsLabel, checkLabels } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, required } from '#machinery/field-error.ts'

export const runtimeClassStrategy: Strategy<RuntimeClass> = {
  allowCreateOnUpdate: true,
  requireResourceVersion: true,
  validate: validateRuntimeClass,
  validateUpdate(runtimeClass, old) {
    const errors = validateRuntimeClass(runtimeClass)
    if (runtimeClass.handler !== old.handler)
      errors.push(invalidValue('handler', runtimeClass.handler ?? '', 'field is immutable'))
    return errors
  },
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => {
      const text = oldLabelText(label)
      return text === undefined ? [] : [`scheduling.nodeSelector: ${text}`]
    }),
}

function validateRuntimeClass({ handler = '', overhead, scheduling }: RuntimeClass): FieldError[] {
  const errors: FieldError[] = []
  if (handler === '') errors.push(required('handler'))
  else checkDnsLabel(errors, 'handler', handler)
  if (overhead?.podFixed !== undefined) {
    const place = { path: 'overhead', claimNames: new Set<string>(), allowIndivisibleHugePages: false }
    validateContainerResources(errors, { limits: overhead.podFixed }, place)
  }
  if (scheduling === undefined) return errors
  checkLabels(errors, 'scheduling.nodeSelector', scheduling.nodeSelector)
  const tolerations = scheduling.tolerations ?? []
  const path = 'scheduling.tolerations'
  validateTolerations(errors, tolerations, { path, allowComparison: false })
  const seen = new Set<string>()
  for (const [i, toleration] of tolerations.entries()) {
    const { key, operator, value, effect } = toleration
    const id = JSON.stringify([key, operator, value, effect])
    if (seen.has(id)) errors.push(duplicate(`${path}[${i}]`, toleration))
    seen.add(id)
  }
  return errors
}
