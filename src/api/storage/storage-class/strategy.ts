/** How StorageClasses are completed and checked. */
import type { TopologySelectorTerm } from '#api/core/v1.gen.ts'
import { oldLabelText } from '#api/core/pod-spec/node-label-warnings.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import { checkEnum, checkLabelName, immutableField } from '#api/validation.ts'
import { duplicate, type FieldError, required } from '#machinery/field-error.ts'
import { checkDriverName, checkParameters } from '../parameters.ts'

export const storageClassStrategy: Strategy<StorageClass> = {
  setDefaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete'
    storageClass.volumeBindingMode ??= 'Immediate'
  },
  validate: validateStorageClass,
  validateUpdate(storageClass, old) {
    const errors = validateStorageClass(storageClass)
    for (const field of ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'] as const)
      if (!isSemanticallyEqual(storageClass[field] ?? {}, old[field] ?? {})) errors.push(immutableField(field))
    return errors
  },
  warnings: ({ allowedTopologies = [] }) =>
    allowedTopologies.flatMap(({ matchLabelExpressions = [] }, i) =>
      matchLabelExpressions.flatMap(({ key }, j) => {
        const text = oldLabelText(key)
        return text === undefined ? [] : [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${text}`]
      }),
    ),
}

function validateStorageClass(storageClass: StorageClass): FieldError[] {
  const errors: FieldError[] = []
  checkDriverName(errors, 'provisioner', storageClass.provisioner)
  checkParameters(errors, storageClass.parameters)
  if (storageClass.reclaimPolicy) checkEnum(errors, 'reclaimPolicy', storageClass.reclaimPolicy, ['Delete', 'Retain'])
  if (storageClass.volumeBindingMode === undefined) errors.push(required('volumeBindingMode'))
  else checkEnum(errors, 'volumeBindingMode', storageClass.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'])
  // For upstream, an empty term equals those that are still to come.
  const seen = new Set([''])
  for (const [i, term] of (storageClass.allowedTopologies ?? []).entries()) {
    const path = `allowedTopologies[${i}].matchLabelExpressions`
    validateTerm(errors, path, term)
    const content = contentOf(term)
    if (seen.has(content)) errors.push(duplicate(path, ''))
    seen.add(content)
  }
  return errors
}

/** Terms with the same text select the same. */
function contentOf({ matchLabelExpressions = [] }: TopologySelectorTerm): string {
  const parts = matchLabelExpressions.map(({ key, values }) => `${key} in ${(values ?? []).toSorted().join()}`)
  return parts.toSorted().join(';')
}

function validateTerm(errors: FieldError[], path: string, { matchLabelExpressions = [] }: TopologySelectorTerm): void {
  for (const [i, { key = '', values = [] }] of matchLabelExpressions.entries()) {
    const place = `${path}[${i}]`
    if (values.length === 0) errors.push(required(`${place}.values`))
    for (const [j, value] of values.entries())
      if (values.indexOf(value) < j) errors.push(duplicate(`${place}.values[${j}]`, value))
    checkLabelName(errors, `${place}.key`, key)
    if (matchLabelExpressions.findIndex((other) => other.key === key) < i) errors.push(duplicate(`${place}.key`, key))
  }
}
