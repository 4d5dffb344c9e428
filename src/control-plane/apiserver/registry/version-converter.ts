/** Converts objects between the versions of their kind, so that each owner's fields are compared in the owner's version. */
import type { KindDefinition } from '#api/kind.ts'
import { versionsOf } from '#api/kinds.ts'
import { SAME_VERSION_ONLY, type VersionConverter } from '#machinery/field-ownership/ownership-rules.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'

const ABSENT = { metadata: {}, spec: {} }

/** A version that is known converts also where it is not served, as upstream's scheme does. */
export function versionConverter(kind: KindDefinition): VersionConverter {
  const versions = versionsOf(kind)
  if (versions.size === 1) return SAME_VERSION_ONLY
  return (versioned, from, to) => {
    if (from === to) return versioned
    const [source, target] = [versions.get(from), versions.get(to)]
    if (source === undefined || target === undefined) return null
    // An object that is not there yet has no parts, which conversions rely on.
    const object: KubernetesObject = { ...ABSENT, ...(versioned.value as KubernetesObject) }
    const stored = source.conversion?.toStored(object) ?? object
    const converted = target.conversion?.fromStored(stored) ?? stored
    const schema = schemaOf(target.schema)
    return { value: normalize(schema, converted), schema }
  }
}
