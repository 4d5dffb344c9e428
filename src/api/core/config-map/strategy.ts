/** How ConfigMaps are checked. */
import type { ConfigMap } from '#api/core/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkText } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, tooLong } from '#machinery/field-error.ts'
import { isConfigMapKey } from '#machinery/validation/names.ts'
import { byteLength } from '#machinery/validation/texts.ts'

/** All values together; the same for Secrets. */
export const CONTENT_BYTES_MAX = 1024 * 1024
export const IMMUTABLE_CONTENT = 'field is immutable when `immutable` is set'

export const configMapStrategy: Strategy<ConfigMap> = {
  validate: validateConfigMap,
  validateUpdate(configMap, old) {
    const errors: FieldError[] = []
    if (old.immutable === true) {
      if (configMap.immutable !== true) errors.push(forbiddenField('immutable', IMMUTABLE_CONTENT))
      for (const field of ['data', 'binaryData'] as const)
        if (!isSemanticallyEqual(configMap[field] ?? {}, old[field] ?? {}))
          errors.push(forbiddenField(field, IMMUTABLE_CONTENT))
    }
    return [...errors, ...validateConfigMap(configMap)]
  },
}

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = []
  let bytes = 0
  for (const [key, value] of Object.entries(data)) {
    checkText(errors, `data[${key}]`, key, isConfigMapKey)
    if (Object.hasOwn(binaryData, key))
      errors.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    bytes += byteLength(value)
  }
  for (const [key, value] of Object.entries(binaryData)) {
    checkText(errors, `binaryData[${key}]`, key, isConfigMapKey)
    bytes += base64Bytes(value)
  }
  if (bytes > CONTENT_BYTES_MAX) errors.push(tooLong('[]', CONTENT_BYTES_MAX))
  return errors
}

/** How many bytes a base64 text stands for. */
export function base64Bytes(text: string): number {
  return Buffer.byteLength(text, 'base64')
}
