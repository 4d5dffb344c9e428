/** Defines a further version of a kind: it is stored in the form of another one, whose rules hold for it too. */
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { defineKind, type ResourceId } from './define-kind.ts'
import { formatApiVersion, type Conversion, type KindDefinition, type Strategy } from './kind.ts'
import { KIND_FACTS } from './kinds.gen.ts'

/** Minor numbers of v1: since when the version is deprecated, and from when on it is gone. */
export type VersionLifecycle = {
  readonly deprecatedIn: number
  readonly removedIn: number
  /** The warning names the version to use instead: the one that is stored. */
  readonly isReplaced?: boolean
}

export type VersionRules<T extends KubernetesObject> = {
  readonly lifecycle?: VersionLifecycle
  /** Where it differs from the stored version. */
  readonly answersDeleted?: boolean
  /** Only for a version with fields of its own; without it the forms differ in nothing but apiVersion. */
  readonly conversion?: Omit<Conversion<T>, 'storedAs'>
  /** In place of those of the stored version. */
  setDefaults?(object: T, nowMs: number): void
}

const MINOR = 37

export function defineVersion<T extends KubernetesObject>(
  id: ResourceId,
  stored: KindDefinition,
  rules: VersionRules<T> = {},
): KindDefinition {
  const { conversion: own, lifecycle } = rules
  const { group, version } = KIND_FACTS[id]
  const conversion: Conversion<T> = {
    ...(own ?? sameForm<T>(formatApiVersion({ group, version }), formatApiVersion(stored))),
    storedAs: stored,
  }
  const { setDefaults } = rules
  const kind = defineKind<T>(id, {
    // The finalizers are checked by the rules of the stored version.
    allowPlainFinalizers: true,
    strategy:
      own === undefined
        ? { ...(stored.strategy as Strategy<T>), ...(setDefaults === undefined ? {} : { setDefaults }) }
        : convertedStrategy(stored.strategy, own, rules),
    row: (object, nowMs) => stored.table.row(conversion.toStored(object), nowMs),
    selectableFields: Object.fromEntries(
      Object.entries(stored.selectableFields).map(([path, select]) => [
        path,
        (object: T) => select(conversion.toStored(object)),
      ]),
    ),
    answersDeleted: rules.answersDeleted ?? stored.answersDeleted,
    ...(stored.nameRule === undefined ? {} : { nameRule: stored.nameRule }),
    ...(stored.inert === undefined
      ? {}
      : { inert: { warning: (object: T) => stored.inert!.warning(conversion.toStored(object)) } }),
    ...(lifecycle === undefined || lifecycle.deprecatedIn > MINOR
      ? {}
      : { deprecation: deprecationText({ group, version }, stored, lifecycle) }),
    conversion,
  })
  return { ...kind, storagePrefix: stored.storagePrefix }
}

function sameForm<T extends KubernetesObject>(own: string, stored: string): Omit<Conversion<T>, 'storedAs'> {
  return {
    toStored: (object) => ({ ...object, apiVersion: stored }),
    fromStored: (object) => ({ ...(object as T), apiVersion: own }),
  }
}

/** Upstream's text of the warning on every use of the version. */
function deprecationText(
  version: { readonly group: string; readonly version: string },
  stored: KindDefinition,
  { deprecatedIn, removedIn, isReplaced = false }: VersionLifecycle,
): string {
  const text = `${formatApiVersion(version)} ${stored.kind} is deprecated in v1.${deprecatedIn}+, unavailable in v1.${removedIn}+`
  return isReplaced ? `${text}; use ${formatApiVersion(stored)} ${stored.kind}` : text
}

type Functions<T extends KubernetesObject> = Omit<Conversion<T>, 'storedAs'>

/** Every step is the one of the stored version. */
function convertedStrategy<T extends KubernetesObject>(
  stored: Strategy<KubernetesObject>,
  { toStored, fromStored }: Functions<T>,
  { setDefaults }: Pick<VersionRules<T>, 'setDefaults'>,
): Strategy<T> {
  /** Changes the object and its metadata in place: callers hold both. */
  const change = (object: T, apply: (converted: KubernetesObject) => void): void => {
    const converted = toStored(object)
    apply(converted)
    const changed = fromStored(converted)
    const { metadata } = object
    replaceFields(metadata, changed.metadata)
    replaceFields(object, { ...changed, metadata })
  }
  return {
    ...(stored as Strategy<T>),
    setDefaults:
      setDefaults ??
      ((object, nowMs, features) => change(object, (converted) => stored.setDefaults?.(converted, nowMs, features))),
    prepareForCreate: (object, context) => change(object, (converted) => stored.prepareForCreate?.(converted, context)),
    prepareForUpdate: (object, old, context) =>
      change(object, (converted) => stored.prepareForUpdate?.(converted, toStored(old), context)),
    validate: (object, context) => stored.validate?.(toStored(object), context) ?? [],
    validateUpdate: (object, old, context) => stored.validateUpdate?.(toStored(object), toStored(old), context) ?? [],
    warnings: (object, old) => stored.warnings?.(toStored(object), old === null ? null : toStored(old)) ?? [],
  }
}

function replaceFields(target: object, source: object): void {
  for (const name of Object.keys(target)) if (!(name in source)) Reflect.deleteProperty(target, name)
  Object.assign(target, source)
}
