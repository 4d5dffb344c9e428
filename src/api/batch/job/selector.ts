/** The selector that a Job gets by itself: its own uid, as a label of its pods. */
import type { Job } from '#api/batch/v1.gen.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'

/** Old and new name of each label. */
const NAME_LABELS = ['job-name', 'batch.kubernetes.io/job-name'] as const
const UID_LABELS = ['controller-uid', 'batch.kubernetes.io/controller-uid'] as const

export function generateSelector({ metadata, spec }: Job): void {
  if (spec.manualSelector === true) return
  const template = ((spec.template ??= {}).metadata ??= {})
  const labels = { ...template.labels }
  for (const label of NAME_LABELS) labels[label] ??= metadata.name ?? ''
  for (const label of UID_LABELS) labels[label] ??= metadata.uid
  template.labels = labels
  const selector = (spec.selector ??= {})
  selector.matchLabels = { [UID_LABELS[1]]: metadata.uid, ...selector.matchLabels }
}

/** Refuses labels and selectors that a client made up where the Job generates them. */
export function validateGeneratedSelector(errors: FieldError[], { metadata, spec }: Job): void {
  if (spec.manualSelector === true || spec.selector === undefined) return
  const expected: Record<string, string> = {}
  for (const label of [UID_LABELS[0], NAME_LABELS[0], UID_LABELS[1], NAME_LABELS[1]])
    expected[label] = (label.endsWith('uid') ? metadata.uid : metadata.name) ?? ''
  const labels = spec.template.metadata?.labels
  for (const [label, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${label}]`
    const actual = labels?.[label]
    if (actual === undefined) errors.push(required(path, `must be '${value}'`))
    else if (actual !== value) errors.push(invalidValue(path, labels, `must be '${value}'`))
  }
  try {
    if (matcherOf(spec.selector).matches(expected)) return
  } catch {
    return // The selector's own errors say why.
  }
  errors.push(invalidValue('spec.selector', spec.selector, '`selector` not auto-generated'))
}
