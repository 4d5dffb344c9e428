/** Checks of the profiles that confine a container: AppArmor, SELinux, seccomp. */
import type { Container, SELinuxOptions } from '#api/core/v1.gen.ts'
import {
  allContainers,
  containersText,
  counted,
  namesWhere,
  quoted,
  settersText,
  sorted,
  type CheckPod,
  type Violation,
} from './check.ts'

const CONFINED = new Set(['RuntimeDefault', 'Localhost'])
const APP_ARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/'

export const appArmorProfile: CheckPod = (spec, { annotations = {} }) => {
  const isBad = (type: string | undefined): type is string => type !== undefined && !CONFINED.has(type)
  const podType = spec.securityContext?.appArmorProfile?.type
  const typeOf = ({ securityContext }: Container): string | undefined => securityContext?.appArmorProfile?.type
  const names = namesWhere(spec, (container) => isBad(typeOf(container)))
  const bad = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(APP_ARMOR_ANNOTATION) && !isAppArmorValue(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .toSorted()
  const setters = [settersText(isBad(podType), names), bad.length > 0 ? counted(bad, 'annotation') : '']
    .filter((text) => text !== '')
    .join(' and ')
  if (setters === '') return null
  const values = [...sorted([podType, ...allContainers(spec).map(typeOf)].filter(isBad)), ...bad]
  return {
    reason: `forbidden AppArmor ${counted(values, 'profile')}`,
    detail: `${setters} must not set AppArmor profile type to ${quotedAsIs(values)}`,
  }
}

const isAppArmorValue = (value: string): boolean =>
  value === '' || value === 'runtime/default' || value.startsWith('localhost/')

/** Quotes around, none escaped inside. */
const quotedAsIs = (items: readonly string[]): string => items.map((item) => `"${item}"`).join(', ')

export function seLinuxOptions(allowsEngine: boolean): CheckPod {
  const types = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t'])
  if (allowsEngine) types.add('container_engine_t')
  const isBad = (options: SELinuxOptions | undefined): boolean =>
    options !== undefined &&
    (!types.has(options.type ?? '') || (options.user ?? '') !== '' || (options.role ?? '') !== '')
  return (spec) => {
    const all = [spec.securityContext, ...allContainers(spec).map(({ securityContext }) => securityContext)].map(
      (context) => context?.seLinuxOptions,
    )
    const names = namesWhere(spec, ({ securityContext }) => isBad(securityContext?.seLinuxOptions))
    const setters = settersText(isBad(spec.securityContext?.seLinuxOptions), names)
    if (setters === '') return null
    const bad = sorted(all.map((options) => options?.type ?? '').filter((type) => !types.has(type)))
    const data = [
      ...(bad.length > 0 ? [`${counted(bad, 'type')} ${quoted(bad)}`] : []),
      ...(all.some((options) => (options?.user ?? '') !== '') ? ['user may not be set'] : []),
      ...(all.some((options) => (options?.role ?? '') !== '') ? ['role may not be set'] : []),
    ]
    return {
      reason: 'seLinuxOptions',
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
    }
  }
}

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'

/** Before there was a field. */
export const seccompAnnotations: CheckPod = (spec, { annotations = {} }) => {
  const keys = [SECCOMP_POD, ...allContainers(spec).map(({ name }) => SECCOMP_CONTAINER + name)]
  const isValid = (value: string): boolean =>
    value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/')
  const bad = sorted(
    keys
      .filter((key) => annotations[key] !== undefined && !isValid(annotations[key]))
      .map((key) => `${key}=${JSON.stringify(annotations[key])}`),
  )
  return bad.length === 0
    ? null
    : { reason: 'seccompProfile', detail: `forbidden ${counted(bad, 'annotation')} ${bad.join(', ')}` }
}

export const seccompProfile: CheckPod = (spec) => explicitSeccomp(spec)

/** Every container must be confined, by itself or by its pod. */
export const seccompRequired: CheckPod = (spec) => {
  const explicit = explicitSeccomp(spec)
  if (explicit !== null) return explicit
  if (spec.securityContext?.seccompProfile !== undefined) return null
  const names = namesWhere(spec, ({ securityContext }) => securityContext?.seccompProfile === undefined)
  return names.length === 0
    ? null
    : {
        reason: 'seccompProfile',
        detail: `pod or ${containersText(names)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      }
}

function explicitSeccomp(spec: Parameters<CheckPod>[0]): Violation | null {
  const isBad = (type: string | undefined): type is string => type !== undefined && !CONFINED.has(type)
  const podType = spec.securityContext?.seccompProfile?.type
  const typeOf = ({ securityContext }: Container): string | undefined => securityContext?.seccompProfile?.type
  const names = namesWhere(spec, (container) => isBad(typeOf(container)))
  const setters = settersText(isBad(podType), names)
  if (setters === '') return null
  const values = sorted([podType, ...allContainers(spec).map(typeOf)].filter(isBad))
  return {
    reason: 'seccompProfile',
    detail: `${setters} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  }
}
