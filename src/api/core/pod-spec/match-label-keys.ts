/** Checks the keys by which affinity terms and spread constraints take over labels of the pod itself. */
import { checkLabelName } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue } from '#machinery/field-error.ts'
import type { LabelSelector } from '#machinery/meta/v1.gen.ts'

export type KeyedSelector = {
  readonly labelSelector?: LabelSelector
  readonly matchLabelKeys?: readonly string[]
  readonly mismatchLabelKeys?: readonly string[]
}

/** `path` is that of the term. The selector already holds the pod's values of the keys: those are no conflict. */
export function validateMatchLabelKeys(errors: FieldError[], term: KeyedSelector, path: string): void {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term
  validateKeys(errors, matchLabelKeys, { path: `${path}.matchLabelKeys`, labelSelector })
  validateKeys(errors, mismatchLabelKeys, { path: `${path}.mismatchLabelKeys`, labelSelector })
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}))
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const position = matchLabelKeys.lastIndexOf(key)
    if (position !== -1 && seen.has(key))
      errors.push(invalidValue(`${path}[${position}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    seen.add(key)
  }
  for (const [i, key] of matchLabelKeys.entries())
    if (mismatchLabelKeys.includes(key))
      errors.push(
        invalidValue(`${path}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'),
      )
}

type KeysPlace = { readonly path: string; readonly labelSelector: LabelSelector | undefined }

function validateKeys(errors: FieldError[], keys: readonly string[], { path, labelSelector }: KeysPlace): void {
  if (keys.length === 0) return
  if (labelSelector === undefined)
    errors.push(forbiddenField(path, 'must not be specified when labelSelector is not set'))
  else for (const [i, key] of keys.entries()) checkLabelName(errors, `${path}[${i}]`, key)
}

/** The older rule, for objects that were stored under it: a key may not be in the selector at all. */
export function validateOldMatchLabelKeys(errors: FieldError[], term: KeyedSelector, path: string): void {
  const { labelSelector, matchLabelKeys = [] } = term
  if (matchLabelKeys.length === 0) return
  const place = `${path}.matchLabelKeys`
  if (labelSelector === undefined)
    errors.push(forbiddenField(place, 'must not be specified when labelSelector is not set'))
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}))
  for (const { key } of labelSelector?.matchExpressions ?? []) selected.add(key)
  for (const [i, key] of matchLabelKeys.entries()) {
    checkLabelName(errors, `${place}[${i}]`, key)
    if (selected.has(key))
      errors.push(invalidValue(`${place}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'))
  }
}
