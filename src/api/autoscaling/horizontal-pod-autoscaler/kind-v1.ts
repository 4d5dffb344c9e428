/** Scales a workload by the processor time it uses; the other metrics are annotations. Stored as autoscaling/v2. */
import type { HorizontalPodAutoscaler } from '#api/autoscaling/v1.gen.ts'
import type { HorizontalPodAutoscaler as StoredAutoscaler } from '#api/autoscaling/v2.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { fromStoredAutoscaler, toStoredAutoscaler } from './conversion.ts'
import { horizontalPodAutoscalerStrategy as stored } from './strategy.ts'
import { autoscalerCells } from './table.ts'

/** Every step is the one of the stored version. */
const strategy: Strategy<HorizontalPodAutoscaler> = {
  setDefaults: (autoscaler, nowMs) => change(autoscaler, (object) => stored.setDefaults?.(object, nowMs)),
  prepareForCreate: (autoscaler, context) => change(autoscaler, (object) => stored.prepareForCreate?.(object, context)),
  prepareForUpdate: (autoscaler, old, context) =>
    change(autoscaler, (object) => stored.prepareForUpdate?.(object, toStoredAutoscaler(old), context)),
  validate: (autoscaler, context) => stored.validate?.(toStoredAutoscaler(autoscaler), context) ?? [],
  validateUpdate: (autoscaler, old, context) =>
    stored.validateUpdate?.(toStoredAutoscaler(autoscaler), toStoredAutoscaler(old), context) ?? [],
}

/** Changes the object and its metadata in place: callers hold both. */
function change(autoscaler: HorizontalPodAutoscaler, apply: (object: StoredAutoscaler) => void): void {
  const object = toStoredAutoscaler(autoscaler)
  apply(object)
  const changed = fromStoredAutoscaler(object)
  const { metadata } = autoscaler
  replaceFields(metadata, changed.metadata)
  replaceFields(autoscaler, { ...changed, metadata })
}

function replaceFields(target: object, source: object): void {
  for (const name of Object.keys(target)) if (!(name in source)) Reflect.deleteProperty(target, name)
  Object.assign(target, source)
}

export const horizontalPodAutoscalerV1Kind = defineKind<HorizontalPodAutoscaler>(
  'autoscaling/v1/horizontalpodautoscalers',
  {
    strategy,
    row: (autoscaler, nowMs) => autoscalerCells(toStoredAutoscaler(autoscaler), nowMs),
    conversion: {
      storedAs: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
      toStored: toStoredAutoscaler,
      fromStored: fromStoredAutoscaler,
    },
  },
)
