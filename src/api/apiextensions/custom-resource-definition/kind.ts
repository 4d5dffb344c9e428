/** Declares a resource of a user's own. */
import type { CustomResourceDefinition } from '#api/apiextensions/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { bumpGeneration, keepSpec, keepStatus } from '#api/strategies.ts'
import { validateDefinition, validateDefinitionStatus } from './validation.ts'

const WEBHOOK_PORT = 443

const strategy: Strategy<CustomResourceDefinition> = {
  requireResourceVersion: true,
  setDefaults(definition) {
    const { spec } = definition
    const { names } = spec
    names.singular ||= (names.kind ?? '').toLowerCase()
    if (names.kind) names.listKind ||= `${names.kind}List`
    spec.conversion ??= { strategy: 'None' }
    const service = spec.conversion.webhook?.clientConfig?.service
    if (service !== undefined) service.port ??= WEBHOOK_PORT
    if ((definition.status?.storedVersions ?? []).length === 0) storeVersion(definition)
  },
  prepareForCreate(definition) {
    delete definition.status
    definition.metadata.generation = 1
    storeVersion(definition)
  },
  prepareForUpdate(definition, old, { subresource }) {
    if (subresource === 'status') {
      keepSpec(definition, old)
      return
    }
    keepStatus(definition, old)
    if (definition.status !== undefined) definition.status = { ...definition.status }
    if (!isSemanticallyEqual(definition.spec, old.spec)) bumpGeneration(definition, old)
    storeVersion(definition)
  },
  validate: (definition) => validateDefinition(definition),
  validateUpdate: (definition, old, { subresource }) =>
    subresource === 'status' ? validateDefinitionStatus(definition) : validateDefinition(definition, old),
}

/** A version in which objects are stored stays in the list until somebody has rewritten them. */
function storeVersion(definition: CustomResourceDefinition): void {
  const version = definition.spec.versions?.find(({ storage }) => storage)
  const stored = definition.status?.storedVersions ?? []
  if (version === undefined || stored.includes(version.name)) return
  definition.status = { ...definition.status, storedVersions: [...stored, version.name] }
}

/** The versions that are served. */
function versionsCell({ spec }: CustomResourceDefinition): string {
  return (spec.versions ?? [])
    .filter(({ served }) => served)
    .map(({ name, storage }) => (storage ? `${name}(storage)` : name))
    .toSorted()
    .join(',')
}

const NOT_SERVED = 'this server stores CustomResourceDefinitions and does not serve the resources they define yet'

export const customResourceDefinitionKind = defineKind<CustomResourceDefinition>(
  'apiextensions.k8s.io/v1/customresourcedefinitions',
  {
    storageVersion: 'v1beta1',
    inert: {
      warning: () => NOT_SERVED,
      conditions: ['NamesAccepted', 'Established'].map((type) => ({
        type,
        status: 'False',
        reason: 'NotServed',
        message: NOT_SERVED,
      })),
    },
    strategy,
    allowPlainFinalizers: true,
    row: (definition) => {
      const { metadata, spec, status } = definition
      return [
        metadata.name,
        spec.scope ?? '',
        versionsCell(definition),
        metadata.creationTimestamp,
        spec.group ?? '',
        spec.names?.kind ?? '',
        (spec.names?.shortNames ?? []).join(','),
        status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True') ===
          true,
      ]
    },
  },
)
