/** Joins the recorded facts of a resource (names, verbs, columns) with the hand-written rules of its kind. */
import assert from 'node:assert'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type {
  Conversion,
  InertRules,
  KindDefinition,
  ScaleDefinition,
  Strategy,
  Subresource,
  TableColumn,
  TableRowCondition,
} from './kind.ts'
import { KIND_FACTS } from './kinds.gen.ts'

/** What Kubernetes says of a resource by discovery, tables and field selectors. */
export type KindFacts = {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly resource: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly schema: string
  readonly hasStatus: boolean
  readonly subresources: readonly Subresource[]
  readonly columns: readonly Omit<TableColumn, 'description'>[]
  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly fieldSelectors: readonly string[]
  /** Answer to a field selector `no.such` that the kind does not know. */
  readonly unknownFieldSelector: string
}

/** `v1/pods`, `apps/v1/deployments`. */
export type ResourceId = keyof typeof KIND_FACTS

/** The part of a kind that is written by hand. */
export type KindRules<T extends KubernetesObject> = {
  readonly strategy?: Strategy<T>
  /** Cells of the Table answer, in the order of the recorded columns. */
  row?(object: T, nowMs: number): unknown[]
  rowConditions?(object: T): readonly TableRowCondition[]
  /** One getter for each recorded field selector. */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>
  readonly scale?: ScaleDefinition<T>
  readonly annotationOfField?: string
  /** Only where it differs from the resource's name. */
  readonly storagePrefix?: string
  readonly deprecation?: string
  readonly nameRule?: NonNullable<KindDefinition['nameRule']>
  /** False for kinds that are answered but never stored. */
  readonly stored?: boolean
  readonly answersDeleted?: boolean
  readonly indexedField?: string
  readonly storageVersion?: string
  allocations?(object: T): readonly (string | number)[]
  readonly isNamespace?: boolean
  readonly expires?: boolean
  readonly inert?: InertRules<T>
  /** True for the few kinds whose finalizers may have plain names: others want `example.com/name`. */
  readonly allowPlainFinalizers?: boolean
  /** For a version that is stored in the form of another. */
  readonly conversion?: Conversion<T>
}

const facts: Record<string, KindFacts> = KIND_FACTS

/**
 * The definition of one served resource. Throws when the rules do not fit the facts: a selectable field too many or
 * too few is a mistake that would otherwise show only in an answer.
 */
export function defineKind<T extends KubernetesObject>(id: ResourceId, rules: KindRules<T>): KindDefinition {
  const fact = facts[id]
  assert(fact !== undefined, `No recorded facts of ${id}`)
  const selectable = rules.selectableFields ?? {}
  assert.deepEqual(Object.keys(selectable).toSorted(), [...fact.fieldSelectors].toSorted(), `Field selectors of ${id}`)
  const definition: KindDefinition<T> = {
    group: fact.group,
    version: fact.version,
    kind: fact.kind,
    resource: fact.resource,
    singular: fact.singular,
    shortNames: fact.shortNames,
    categories: fact.categories,
    namespaced: fact.namespaced,
    verbs: fact.verbs,
    schema: fact.schema,
    storagePrefix: rules.storagePrefix ?? fact.resource,
    hasStatus: fact.hasStatus,
    subresources: fact.subresources,
    strategy: rules.allowPlainFinalizers === true ? (rules.strategy ?? {}) : withFinalizerRule(rules.strategy ?? {}),
    table: {
      columns: fact.columns.map((column) => ({ ...column, description: '' })),
      row: rules.row ?? nameAndCreation,
      ...(rules.rowConditions === undefined ? {} : { rowConditions: rules.rowConditions }),
    },
    selectableFields: selectable,
    unknownFieldSelector: fact.unknownFieldSelector,
    stored: rules.stored ?? true,
    answersDeleted: rules.answersDeleted ?? false,
    ...optionalRules(rules),
  }
  // The list of kinds is one of many types; each definition is only ever called with objects of its own schema.
  return definition as unknown as KindDefinition
}

const OPTIONAL_RULES = [
  'scale',
  'annotationOfField',
  'deprecation',
  'nameRule',
  'conversion',
  'indexedField',
  'storageVersion',
  'allocations',
  'isNamespace',
  'expires',
  'inert',
] as const

type OptionalRules<T extends KubernetesObject> = Pick<KindRules<T>, (typeof OPTIONAL_RULES)[number]>

/** Those that the kind has. */
function optionalRules<T extends KubernetesObject>(rules: KindRules<T>): OptionalRules<T> {
  const given = OPTIONAL_RULES.filter((name) => rules[name] !== undefined)
  return Object.fromEntries(given.map((name) => [name, rules[name]])) as OptionalRules<T>
}

/** Finalizers that Kubernetes itself sets have plain names; all others name their domain. */
const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

function withFinalizerRule<T extends KubernetesObject>(strategy: Strategy<T>): Strategy<T> {
  return {
    ...strategy,
    validate: (object, context) => [...finalizerErrors(object), ...(strategy.validate?.(object, context) ?? [])],
    validateUpdate: (object, old, context) => [
      ...finalizerErrors(object),
      ...(strategy.validateUpdate?.(object, old, context) ?? []),
    ],
  }
}

function finalizerErrors({ metadata }: KubernetesObject): FieldError[] {
  const text = 'name is neither a standard finalizer name nor is it fully qualified'
  return (metadata.finalizers ?? []).flatMap((name, i) =>
    name.includes('/') || STANDARD_FINALIZERS.has(name) ? [] : [invalidValue(`metadata.finalizers[${i}]`, name, text)],
  )
}

/** Upstream's table of kinds without a printer of their own: Name, Created At. */
function nameAndCreation(object: KubernetesObject): unknown[] {
  return [object.metadata.name, object.metadata.creationTimestamp]
}
