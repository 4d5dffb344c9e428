/** The committed form of the built-in schemas (`*.schema.gen.json`, one file per group version): written by scripts/generate/, read by registry.ts. */

export type SchemaFile = {
  /** Packages that names refer to by position; the first is the file's own and needs no number. */
  packages: string[]
  /** `Pod`, or `2.RawExtension` for a type of the package at position 2. */
  types: Record<string, TypeData>
}

export type TypeData = {
  /** Absent: the type has a JSON form of its own (Quantity, Time, …) or is a named list (`wrapper`). */
  fields?: FieldRow[]
  /** Type of a named list that is a message with `items` on the protobuf wire. */
  wrapper?: string
  /** Not in the OpenAPI documents: only on the protobuf wire, or part of another type. */
  hidden?: true
  atomic?: true
  /** `group/version/kind` under which the type is registered. */
  kinds?: string[]
  /** OpenAPI's `x-kubernetes-unions`. */
  unions?: unknown[]
}

/**
 * JSON name, type, flags, protobuf number, the rest. A type is a scalar letter (s b i l d y, `*` for anything) or a
 * reference, with `[]` before it for a list and `{}` for a map.
 */
export type FieldRow = [name: string, type: string, flags: number, proto?: number, extras?: FieldExtras]

export type FieldExtras = {
  /** The named Go type, which type errors mention. */
  go?: string
  /** How Go prints the type of a map whose keys have a type of their own. */
  goMap?: string
  /** Only where it is not what the type implies (varint, fixed64, bytes). */
  wire?: string
  /** Name of an embedded message on the protobuf wire. */
  wireName?: string
  listType?: string
  listMapKeys?: string[]
  mapType?: string
  patchStrategy?: string
  patchMergeKey?: string
  /** Where OpenAPI says something else than the Go type; '' for nothing. */
  openApiPatchStrategy?: string
  openApiPatchMergeKey?: string
  default?: unknown
  /** Allowed values of a string, of a list's items or of a map's values. */
  enum?: string[]
}

export const FLAGS = {
  pointer: 1,
  omitEmpty: 2,
  omitZero: 4,
  required: 8,
  /** An embedded struct: its fields stand in the owner's JSON object. */
  inline: 16,
  /** `kind` and `apiVersion`: not on the protobuf wire. */
  typeMeta: 32,
} as const

/** The full name of a type that a file refers to. */
export function fullName(ref: string, packages: readonly string[]): string {
  const dot = ref.indexOf('.')
  if (dot < 0) return `${packages[0]}.${ref}`
  return `${packages[Number(ref.slice(0, dot))]}.${ref.slice(dot + 1)}`
}
