/** What a kind is: everything that routes, discovery, tables, storage and validation need to know of it. */
import type { FieldError } from '#machinery/field-error.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { NameRule } from '#machinery/validation/object-meta.ts'
import type { Clock } from '#base/clock.ts'
import type { FeatureGates } from '#base/feature-gates.ts'
import type { RandomSource } from '#base/random.ts'

export type GroupVersionKind = { readonly group: string; readonly version: string; readonly kind: string }
export type GroupVersionResource = { readonly group: string; readonly version: string; readonly resource: string }

/** `apps/v1`, or `v1` for the core group. */
export function formatApiVersion({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? version : `${group}/${version}`
}

/** What a strategy may use beside the objects. Never reads the clock of the machine by itself. */
export type StrategyContext = {
  readonly clock: Clock
  readonly random: RandomSource
  /** Fields of features that are off are dropped, unless the stored object uses them already. */
  readonly features: FeatureGates
  /** Subresource that is written: '' for the object itself, 'status', 'scale', 'resize', … */
  readonly subresource: string
  /** User-visible warnings (`Warning: 299` headers); each text once. */
  warn(text: string): void
  /** Who writes: only kinds that record their author (CertificateSigningRequest) look at it. */
  readonly user?: RequestUser
}

export type RequestUser = {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/**
 * The rules of a kind that no schema holds. All functions are pure, and own the object they are given: `prepare…`
 * change it in place (it was decoded for this request alone), the others only read.
 */
export interface Strategy<T extends KubernetesObject> {
  /** Fills defaults after decoding (upstream's SetDefaults, nested templates included); idempotent. Without gates those of the version count. */
  setDefaults?(object: T, nowMs: number, features?: FeatureGates): void
  /** Drops what a client may not set on create (status, generation = 1, disabled fields). */
  prepareForCreate?(object: T, context: StrategyContext): void
  /** Keeps what this write may not touch (status on a main write, spec on a status write), bumps generation. */
  prepareForUpdate?(object: T, old: T, context: StrategyContext): void
  /** All field errors of a new object, in upstream's order. Object metadata is validated by the registry, not here. */
  validate?(object: T, context: StrategyContext): FieldError[]
  /** All field errors of an update, immutability included. */
  validateUpdate?(object: T, old: T, context: StrategyContext): FieldError[]
  /** Warnings for deprecated or suspicious use, on create and update (`old` is null on create). */
  warnings?(object: T, old: T | null): string[]
  /** False: PUT to a name that does not exist is 404, which is the rule; Leases, for one, allow it. */
  readonly allowCreateOnUpdate?: boolean
  /** False (most kinds): an update must carry resourceVersion 0 or the current one only if the client sent one. */
  readonly requireResourceVersion?: boolean
  /** Seconds of grace for this object; undefined: deletion is immediate (pods only have one). */
  graceSeconds?(object: T, requested: number | undefined): number | undefined
  /** Changes an object that is being marked as deleted (a Namespace's phase becomes Terminating). */
  prepareForDeletion?(object: T): void
  /** A delete that does not say what shall become of dependents leaves them alone (Jobs, ReplicationControllers). */
  readonly orphansDependents?: boolean
  /** Warning to whoever deletes without saying what shall become of dependents. */
  readonly silentDeletionWarning?: string
  /** Finalizers that the kind itself needs, beyond metadata.finalizers (Namespace: spec.finalizers). */
  hasOwnFinalizers?(object: T): boolean
}

/** A column of the Table answer; cells come from `TableDefinition.row` in the same order. */
export type TableColumn = {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format: string
  /** 0 shows always, 1 with `-o wide`. */
  readonly priority: number
  readonly description: string
}

export type TableDefinition<T> = {
  readonly columns: readonly TableColumn[]
  /** Cells of one object; `nowMs` is for ages. */
  row(object: T, nowMs: number): unknown[]
  /** `conditions` of the row: pods that have ended carry one. */
  rowConditions?(object: T): readonly TableRowCondition[]
}

export type TableRowCondition = {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/**
 * A subresource beside `status`, which is a flag of its own. `kind` is the body's kind. The API server holds one
 * handler per name (`scale`, `eviction`, `binding`, `token`, `log`, `exec`, …).
 */
export type Subresource = {
  readonly name: string
  readonly kind: GroupVersionKind
  readonly verbs: readonly ('get' | 'update' | 'patch' | 'create' | 'delete')[]
}

/** Where `scale` finds its numbers in a scalable kind. */
export type ScaleDefinition<T> = {
  replicas(object: T): number
  setReplicas(object: T, replicas: number): void
  statusReplicas(object: T): number
  /** Label selector as text, for `status.selector`. */
  selector(object: T): string
}

export interface KindDefinition<T extends KubernetesObject = KubernetesObject> {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Plural, as in the URL. */
  readonly resource: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  /** Name of the schema: `io.k8s.api.core.v1.Pod`. */
  readonly schema: string
  /** `/registry/<storagePrefix>/…`; upstream's keys (services live under `services/specs`). */
  readonly storagePrefix: string
  readonly hasStatus: boolean
  readonly subresources: readonly Subresource[]
  readonly scale?: ScaleDefinition<T>
  readonly strategy: Strategy<T>
  readonly table: TableDefinition<T>
  /** An annotation that only whole objects show: upstream keeps it as a field, which tables and metadata alone have not. */
  readonly annotationOfField?: string
  /** Field selectors beside metadata.name and metadata.namespace: path -> value as text. */
  readonly selectableFields: Readonly<Record<string, (object: T) => string>>
  /** Answer to a field selector that the kind does not know, for the selector `no.such`. */
  readonly unknownFieldSelector?: string
  /** Text of the deprecation warning on every use (v1 Endpoints), if any. */
  readonly deprecation?: string
  /** Upstream's validation of `metadata.name`: 'subdomain' unless said. */
  readonly nameRule?: NameRule
  /** False for kinds that are answered but never stored (TokenReview, SubjectAccessReview). */
  readonly stored: boolean
  /** A deletion answers with the object that went, in place of a Status. */
  readonly answersDeleted: boolean
  /** The selectable field that many watchers ask for with one value each: the watch cache keeps an index of it. */
  readonly indexedField?: string
  /** The version that Kubernetes stores where it is not the one served: only the hash in discovery tells. */
  readonly storageVersion?: string
  /** Cluster addresses (text) and node ports (numbers) that an object holds, for the allocators. */
  allocations?(object: T): readonly (string | number)[]
  /** Objects are only kept for a time (--event-ttl), which begins again with each write. */
  readonly expires?: boolean
  /** Objects are namespaces themselves: their paths carry their own name as the namespace. */
  readonly isNamespace?: boolean
  /** Set for kinds whose objects are stored and have no effect yet. */
  readonly inert?: InertRules<T>
  /** Only for a version that is stored in the form of another (events.k8s.io/v1 Event, autoscaling/v1 HPA). */
  readonly conversion?: Conversion<T>
}

/** How one version of a kind becomes the stored version and back. Both functions return a new object and share parts. */
export type Conversion<T extends KubernetesObject> = {
  readonly storedAs: KindDefinition
  toStored(object: T): KubernetesObject
  fromStored(stored: KubernetesObject): T
}

/** What a server tells of objects that it only stores: their makers expect them to do something. */
export type InertRules<T extends KubernetesObject> = {
  /** One sentence for whoever writes the object; null for one that needs nothing done. */
  warning(object: T): string | null
  /** What the status says in place of the work. */
  readonly conditions?: readonly InertCondition[]
}

export type InertCondition = {
  readonly type: string
  readonly status: 'False'
  readonly reason: string
  readonly message: string
}

/** The verbs of an ordinary stored kind. */
export const STANDARD_VERBS = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const
