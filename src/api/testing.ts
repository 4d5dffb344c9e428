/** For tests of kinds: runs a write through the rules of a kind alone. */
import { DEFAULT_FEATURE_GATES, type FeatureGates } from '#base/feature-gates.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { FieldError } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { decodeValue } from '#machinery/schema/decode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { KindDefinition, StrategyContext } from './kind.ts'

export const NOW = '2026-01-02T03:04:05Z'

export type Outcome<T> = {
  readonly object: T
  /** `spec.replicas: Invalid value: -1: must be …`. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

export function createWith<T extends KubernetesObject>(
  kind: KindDefinition,
  body: unknown,
  features = DEFAULT_FEATURE_GATES,
): Outcome<T> {
  const object = decode<T>(kind, body, features)
  Object.assign(object.metadata, { uid: 'uid-1', creationTimestamp: NOW })
  const { strategy } = kind
  const { context, warned } = contextOf('', features)
  strategy.prepareForCreate?.(object, context)
  const errors = linesOf(strategy.validate?.(object, context))
  return { object, errors, warnings: [...warned, ...(strategy.warnings?.(object, null) ?? [])] }
}

export type Update = {
  readonly old: unknown
  readonly subresource?: string
  readonly features?: FeatureGates
}

export function updateWith<T extends KubernetesObject>(
  kind: KindDefinition,
  body: unknown,
  { old, subresource = '', features = DEFAULT_FEATURE_GATES }: Update,
): Outcome<T> {
  const object = decode<T>(kind, body, features)
  const before = decode<T>(kind, old, features)
  for (const { metadata } of [object, before]) Object.assign(metadata, { uid: 'uid-1', creationTimestamp: NOW })
  if (before.metadata.generation !== undefined) object.metadata.generation = before.metadata.generation
  const { strategy } = kind
  const { context, warned } = contextOf(subresource, features)
  strategy.prepareForUpdate?.(object, before, context)
  const errors = linesOf(strategy.validateUpdate?.(object, before, context))
  return { object, errors, warnings: [...warned, ...(strategy.warnings?.(object, before) ?? [])] }
}

function decode<T extends KubernetesObject>(kind: KindDefinition, body: unknown, features: FeatureGates): T {
  const { object } = decodeValue<T>(schemaOf(kind.schema), structuredClone(body))
  kind.strategy.setDefaults?.(object, Date.parse(NOW), features)
  return object
}

function contextOf(subresource: string, features: FeatureGates): { context: StrategyContext; warned: string[] } {
  const warned: string[] = []
  const context: StrategyContext = {
    clock: new VirtualClock(Date.parse(NOW)),
    random: new SeededRandom(1),
    features,
    subresource,
    warn: (text) => void warned.push(text),
  }
  return { context, warned }
}

function linesOf(errors: readonly FieldError[] = []): string[] {
  return errors.map(({ field, message }) => `${field}: ${message}`)
}
