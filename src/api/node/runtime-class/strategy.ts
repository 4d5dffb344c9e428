/** How RuntimeClasses are checked. */
import { oldLabelText } from '#api/core/pod-spec/node-label-warnings.ts'
import { validateContainerResources } from '#api/core/pod-spec/resources.ts'
import { validateTolerations } from '#api/core/pod-spec/tolerations.ts'
import type { Strategy } from '#api/kind.ts'
import type { RuntimeClass } from '#api/node/v1.gen.ts'
import { type Check, checkDeclared, checkLabels, checkText, immutableField } from '#api/validation.ts'
import { declared, duplicate, type FieldError, required } from '#machinery/field-error.ts'
import { isDns1123Label, isShortName } from '#machinery/validation/names.ts'

export const runtimeClassStrategy: Strategy<RuntimeClass> = {
  allowCreateOnUpdate: true,
  requireResourceVersion: true,
  validate: (runtimeClass) => validateRuntimeClass(runtimeClass, isShortName),
  validateUpdate(runtimeClass, old) {
    const isSame = runtimeClass.handler === old.handler
    return [
      ...(isSame ? [] : [immutableField('handler')]),
      ...validateRuntimeClass(runtimeClass, isSame ? isShortName : isDns1123Label),
    ]
  },
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => {
      const text = oldLabelText(label)
      return text === undefined ? [] : [`scheduling.nodeSelector: ${text}`]
    }),
}

function validateRuntimeClass({ handler = '', overhead, scheduling }: RuntimeClass, isHandler: Check): FieldError[] {
  const errors: FieldError[] = []
  if (handler === '') errors.push(declared(required('handler')))
  else if (isHandler === isShortName) checkDeclared(errors, 'handler', handler, isHandler)
  else checkText(errors, 'handler', handler, isHandler)
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
