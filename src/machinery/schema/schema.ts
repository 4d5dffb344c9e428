/**
 * The schema of built-in kinds and custom resources: one structure that decoding, defaulting, pruning, patches, server-side apply and
 * OpenAPI all read. Built-in schemas come from committed data (registry.ts), custom ones from their CustomResourceDefinition.
 */

export type ScalarType =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  /** Base64 text of a Go []byte. */
  | 'bytes'
  | 'quantity'
  | 'time'
  | 'micro-time'
  | 'int-or-string'
  /** Anything, kept as it is: RawExtension, FieldsV1, JSON. */
  | 'any'

export type ScalarSchema = {
  readonly type: ScalarType
  /** Name of the Go type (`v1.PullPolicy`), which type errors mention; plain types need none. */
  readonly goType?: string
  /**
   * For `any`: the type of the values that are objects (or, in a list, of its items), where the value may be something else as well:
   * `additionalProperties: false`. A function, because such types refer to themselves.
   */
  readonly objectForm?: () => ObjectSchema
}

export type ListSchema = {
  readonly type: 'list'
  readonly items: Schema
  readonly listType: 'atomic' | 'set' | 'map'
  /** Keys of a `map` list, in upstream's order. */
  readonly listMapKeys: readonly string[]
  readonly goType?: string
}

export type MapSchema = {
  readonly type: 'map'
  readonly values: Schema
  readonly mapType: 'granular' | 'atomic'
  readonly goType?: string
}

export type FieldSchema = {
  readonly name: string
  readonly schema: Schema
  /** The OpenAPI document lists it as required (the decoder does not insist). */
  readonly required: boolean
  /** A Go pointer: absent and zero are different values. */
  readonly pointer: boolean
  /** Go leaves the zero value out of JSON. A struct that is no pointer is written as `{}` unless `omitzero`. */
  readonly omitEmpty: boolean
  /** Go leaves even an empty struct or time out. */
  readonly omitZero?: boolean
  /** Names of the embedded Go structs between the owner and the field: type errors list them in the path. */
  readonly embeddedIn?: readonly string[]
  /** OpenAPI's `default`, used by server-side apply for keys of map lists (`protocol: TCP`). */
  readonly default?: unknown
  /** Strategic merge patch: 'merge', 'replace', 'retainKeys', or joined by commas. */
  readonly patchStrategy?: string
  readonly patchMergeKey?: string
}

export type ObjectSchema = {
  readonly type: 'object'
  /** Full name, `io.k8s.api.core.v1.PodSpec`. */
  readonly name: string
  /** In the order in which Go writes them. */
  readonly fields: ReadonlyMap<string, FieldSchema>
  readonly mapType: 'granular' | 'atomic'
  /** Unknown fields are kept (x-kubernetes-preserve-unknown-fields). */
  readonly preserveUnknown: boolean
}

/** Nodes of recursive types are shared: a walk follows the value, never the schema alone. */
export type Schema = ScalarSchema | ListSchema | MapSchema | ObjectSchema
