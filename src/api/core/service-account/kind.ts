/** An identity of pods. */
import type { ServiceAccount } from '#api/core/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'

export const serviceAccountKind = defineKind<ServiceAccount>('v1/serviceaccounts', {
  answersDeleted: true,
  strategy: {
    prepareForCreate: keepSecretNames,
    prepareForUpdate: keepSecretNames,
    warnings: mountableSecretsWarnings,
  },
  row: (object, nowMs) => [object.metadata.name, formatAge(object.metadata.creationTimestamp, nowMs)],
})

/** A reference to a secret is its name: all else that an ObjectReference may hold is dropped. */
function keepSecretNames(account: ServiceAccount): void {
  if (account.secrets === undefined) return
  account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }))
}

const ENFORCE_ANNOTATION = 'kubernetes.io/enforce-mountable-secrets'

/** Whoever has it already is not told again. */
function mountableSecretsWarnings({ metadata }: ServiceAccount, old: ServiceAccount | null): string[] {
  const has = (account: Pick<ServiceAccount, 'metadata'>): boolean =>
    account.metadata.annotations?.[ENFORCE_ANNOTATION] !== undefined
  if (!has({ metadata }) || (old !== null && has(old))) return []
  return [
    `metadata.annotations[${ENFORCE_ANNOTATION}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
  ]
}
