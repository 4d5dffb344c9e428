/** Takes AppArmor profiles from the annotations that held them once into the fields. */
import type { AppArmorProfile, Pod } from '#api/core/v1.gen.ts'
import { APP_ARMOR_PREFIX } from '#api/core/pod-spec/annotations.ts'
import { visitContainers } from '#api/core/pod-spec/containers-of.ts'
import { validateAppArmorProfile } from '#api/core/pod-spec/security-context.ts'
import type { StrategyContext } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { FieldError } from '#machinery/field-error.ts'

export function applyAppArmorAnnotations(pod: Pod, context: StrategyContext): void {
  const { annotations } = pod.metadata
  if (annotations === undefined || pod.spec.os?.name === 'windows') return
  const podProfile = pod.spec.securityContext?.appArmorProfile
  visitContainers(pod.spec, 'spec', (container) => {
    const name = APP_ARMOR_PREFIX + container.name
    const annotation = annotations[name]
    if (annotation === undefined || container.securityContext?.appArmorProfile !== undefined) return
    const profile = appArmorProfileOf(annotation)
    if (profile !== undefined && isSemanticallyEqual(profile, podProfile)) return
    if (profile !== undefined) (container.securityContext ??= {}).appArmorProfile = profile
    context.warn(`metadata.annotations[${name}]: deprecated since v1.30; use the "appArmorProfile" field instead`)
  })
}

/** The field that says the same; undefined for a profile that is not valid. */
export function appArmorProfileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  if (!annotation.startsWith('localhost/') || annotation === 'localhost/') return undefined
  const profile = { type: 'Localhost', localhostProfile: annotation.slice('localhost/'.length) }
  const errors: FieldError[] = []
  validateAppArmorProfile(errors, profile, '')
  return errors.length === 0 ? profile : undefined
}
