/** Pods of a service account that insists on it use no other secrets than those that the account names. Pure. */
import type { Container, Pod, ServiceAccount } from '#api/core/v1.gen.ts'

const ENFORCE_ANNOTATION = 'kubernetes.io/enforce-mountable-secrets'
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

/** What is not allowed, in upstream's words; null when all is. */
export function unreferencedSecret(account: ServiceAccount, { spec }: Pod, onlyEphemeral: boolean): string | null {
  if (!TRUE.has(account.metadata.annotations?.[ENFORCE_ANNOTATION] ?? '')) return null
  const allowed = new Set((account.secrets ?? []).map(({ name }) => name))
  const { name } = account.metadata
  const ending = `is not allowed because service account ${name} does not reference that`
  if (onlyEphemeral) return secretOfContainers('ephemeral container', spec.ephemeralContainers ?? [], allowed, ending)
  for (const { secret } of spec.volumes ?? [])
    if (secret !== undefined && !allowed.has(secret.secretName))
      return `volume with secret.secretName="${secret.secretName ?? ''}" ${ending} secret`
  const ofContainers =
    secretOfContainers('init container', spec.initContainers ?? [], allowed, ending) ??
    secretOfContainers('container', spec.containers, allowed, ending)
  if (ofContainers !== null) return ofContainers
  const pulls = new Set((account.imagePullSecrets ?? []).map((reference) => reference.name))
  const index = (spec.imagePullSecrets ?? []).findIndex((reference) => !pulls.has(reference.name))
  return index < 0
    ? null
    : `imagePullSecrets[${index}].name="${spec.imagePullSecrets![index]!.name ?? ''}" ${ending} imagePullSecret`
}

type Sources = Pick<Container, 'name' | 'env' | 'envFrom'>

function secretOfContainers(
  what: string,
  containers: readonly Sources[],
  allowed: ReadonlySet<string | undefined>,
  ending: string,
): string | null {
  for (const { name, env = [], envFrom = [] } of containers) {
    for (const variable of env) {
      const reference = variable.valueFrom?.secretKeyRef
      if (reference !== undefined && !allowed.has(reference.name))
        return `${what} ${name} with envVar ${variable.name} referencing secret.secretName="${reference.name ?? ''}" ${ending} secret`
    }
    for (const { secretRef } of envFrom)
      if (secretRef !== undefined && !allowed.has(secretRef.name))
        return `${what} ${name} with envFrom referencing secret.secretName="${secretRef.name ?? ''}" ${ending} secret`
  }
  return null
}
