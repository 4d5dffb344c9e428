/** Drops fields of features that are off, unless the stored object uses the feature already. */
import type { FeatureGate, FeatureGates } from '#base/feature-gates.ts'

/** One feature's fields in a part of an object. */
export type FeatureDrop<T> = {
  /** All of them must be on for the fields to stay. */
  readonly gates: readonly FeatureGate[]
  isUsed(object: T): boolean
  drop(object: T): void
}

export function dropDisabled<T>(
  drops: readonly FeatureDrop<T>[],
  object: T,
  old: T | undefined,
  features: FeatureGates,
): void {
  for (const { gates, isUsed, drop } of drops) {
    if (gates.every((gate) => features.isEnabled(gate))) continue
    if (old === undefined || !isUsed(old)) drop(object)
  }
}

/** A feature that is nothing but fields of an object; lists and maps without anything in them do not use it. */
export function fieldDrop<T extends object>(
  gates: readonly FeatureGate[],
  fields: readonly (keyof T)[],
): FeatureDrop<T> {
  return { ...presentDrop(gates, fields), isUsed: (object) => fields.some((field) => hasContent(object[field])) }
}

/** The same for fields that use the feature by being there, empty or not. */
export function presentDrop<T extends object>(
  gates: readonly FeatureGate[],
  fields: readonly (keyof T)[],
): FeatureDrop<T> {
  return {
    gates,
    isUsed: (object) => fields.some((field) => object[field] !== undefined),
    drop(object) {
      for (const field of fields) delete object[field]
    },
  }
}

/** The same feature in each of the parts. */
export function eachDrop<T, P>(
  partsOf: (object: T) => readonly P[],
  { gates, isUsed, drop }: FeatureDrop<P>,
): FeatureDrop<T> {
  return {
    gates,
    isUsed: (object) => partsOf(object).some(isUsed),
    drop(object) {
      for (const part of partsOf(object)) drop(part)
    },
  }
}

/** One feature in several places of an object: in use in one, it is in use in all. */
export function joinedDrop<T>(drops: readonly FeatureDrop<T>[]): FeatureDrop<T> {
  return {
    gates: [...new Set(drops.flatMap(({ gates }) => gates))],
    isUsed: (object) => drops.some(({ isUsed }) => isUsed(object)),
    drop(object) {
      for (const { drop } of drops) drop(object)
    },
  }
}

function hasContent(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null
}
