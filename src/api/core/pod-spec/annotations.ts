/** Checks annotations that once were fields of pods: seccomp, AppArmor, tolerations, deletion cost, mirror pods. */
import type { AppArmorProfile, PodSpec, SeccompProfile, Toleration } from '#api/core/v1.gen.ts'
import { type FieldError, forbiddenField, invalidValue } from '#machinery/field-error.ts'
import type { TemplateMeta } from '#machinery/meta/template.ts'
import { type AnyContainer, someContainer, visitContainers } from './containers-of.ts'
import { checkDescendingPath } from './paths.ts'
import { validateTolerations } from './tolerations.ts'

export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'
export const APP_ARMOR_PREFIX = 'container.apparmor.security.beta.kubernetes.io/'
export const SECCOMP_POD_ANNOTATION = 'seccomp.security.alpha.kubernetes.io/pod'
export const SECCOMP_CONTAINER_PREFIX = 'container.seccomp.security.alpha.kubernetes.io/'
const TOLERATIONS_ANNOTATION = 'scheduler.alpha.kubernetes.io/tolerations'
const DELETION_COST_ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost'

type Annotations = Readonly<Record<string, string>>

/** Order among pods of a ReplicaSet when some have to go; 0 without the annotation, null when it is no number. */
export function parseDeletionCost(annotations: Annotations | undefined): number | null {
  const text = annotations?.[DELETION_COST_ANNOTATION]
  if (text === undefined) return 0
  if (!/^(?:0|-?[1-9][0-9]*|\+[1-9][0-9]*|-0)$/.test(text) || text === '-0') return text === '-0' ? 0 : null
  const cost = Number(text)
  const isInt32 = cost >= -2_147_483_648 && cost <= 2_147_483_647
  // A plus sign or leading zeros would sort differently as text: they are refused.
  return isInt32 && !text.startsWith('+') ? cost : null
}

export type AnnotationOptions = {
  readonly path: string
  readonly allowInvalidDeletionCost: boolean
  readonly allowComparison: boolean
}

export function validatePodAnnotations(
  errors: FieldError[],
  annotations: Annotations | undefined,
  { spec, path, allowInvalidDeletionCost, allowComparison }: AnnotationOptions & { readonly spec: PodSpec },
): void {
  if (annotations === undefined) return
  const mirror = annotations[MIRROR_ANNOTATION]
  if (mirror !== undefined && (spec.nodeName ?? '') === '') {
    const text = 'must set spec.nodeName if mirror pod annotation is set'
    errors.push(invalidValue(`${path}[${MIRROR_ANNOTATION}]`, mirror, text))
  }
  validateTolerationsAnnotation(errors, annotations, { path, allowComparison })
  if (!allowInvalidDeletionCost && parseDeletionCost(annotations) === null) {
    const place = `${path}[${DELETION_COST_ANNOTATION}]`
    errors.push(invalidValue(place, annotations[DELETION_COST_ANNOTATION], 'must be a 32bit integer'))
  }
  for (const [name, value] of Object.entries(annotations)) {
    if (name === SECCOMP_POD_ANNOTATION || name.startsWith(SECCOMP_CONTAINER_PREFIX))
      validateSeccompName(errors, value, `${path}.${name}`)
    if (name.startsWith(APP_ARMOR_PREFIX)) validateAppArmorAnnotation(errors, { name, value, spec, path })
  }
}

function validateTolerationsAnnotation(
  errors: FieldError[],
  annotations: Annotations,
  { path, allowComparison }: { readonly path: string; readonly allowComparison: boolean },
): void {
  const text = annotations[TOLERATIONS_ANNOTATION] ?? ''
  if (text === '') return
  let tolerations: Toleration[]
  try {
    tolerations = JSON.parse(text) as Toleration[]
  } catch (error) {
    errors.push(invalidValue(path, TOLERATIONS_ANNOTATION, (error as Error).message))
    return
  }
  validateTolerations(errors, tolerations ?? [], { path: `${path}.${TOLERATIONS_ANNOTATION}`, allowComparison })
}

function validateSeccompName(errors: FieldError[], profile: string, path: string): void {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return
  if (profile.startsWith('localhost/')) checkDescendingPath(errors, path, profile.slice('localhost/'.length))
  else errors.push(invalidValue(path, profile, 'must be a valid seccomp profile'))
}

type AppArmorAnnotation = {
  readonly name: string
  readonly value: string
  readonly spec: PodSpec
  readonly path: string
}

function validateAppArmorAnnotation(errors: FieldError[], { name, value, spec, path }: AppArmorAnnotation): void {
  const container = name.slice(APP_ARMOR_PREFIX.length)
  if (!someContainer(spec, (other) => other.name === container))
    errors.push(invalidValue(`${path}[${name}]`, container, 'container not found'))
  const isKnown = ['', 'runtime/default', 'unconfined'].includes(value) || value.startsWith('localhost/')
  if (!isKnown)
    errors.push(invalidValue(`${path}[${name}]`, value, `invalid AppArmor profile name: ${JSON.stringify(value)}`))
}

/** Annotations and fields that say the same have to agree. */
export function validateProfilesMatch(
  errors: FieldError[],
  {
    metadata,
    spec,
    path,
  }: { readonly metadata: TemplateMeta | undefined; readonly spec: PodSpec; readonly path: string },
): void {
  const annotations = metadata?.annotations
  if (annotations === undefined) return
  const podSeccomp = annotations[SECCOMP_POD_ANNOTATION]
  if (podSeccomp !== undefined)
    compareSeccomp(errors, podSeccomp, {
      profile: spec.securityContext?.seccompProfile,
      path: `${path}.securityContext.seccompProfile`,
    })
  visitContainers(spec, path, ({ name, securityContext }, place) => {
    const annotation = annotations[SECCOMP_CONTAINER_PREFIX + name]
    if (annotation === undefined) return
    const at = { profile: securityContext?.seccompProfile, path: `${place}.securityContext.seccompProfile` }
    compareSeccomp(errors, annotation, at)
  })
  if (spec.os?.name === 'windows') return
  visitContainers(spec, path, (container, place) => {
    const annotation = annotations[APP_ARMOR_PREFIX + container.name]
    const profile = effectiveAppArmor(spec, container)
    if (annotation !== undefined && profile !== undefined)
      compareProfile(errors, annotation, { ...APP_ARMOR, profile, path: `${place}.securityContext.appArmorProfile` })
  })
}

function effectiveAppArmor(spec: PodSpec, { securityContext }: AnyContainer): AppArmorProfile | undefined {
  return securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile
}

type SeccompPlace = { readonly profile: SeccompProfile | undefined; readonly path: string }

function compareSeccomp(errors: FieldError[], annotation: string, { profile, path }: SeccompPlace): void {
  if (profile !== undefined) compareProfile(errors, annotation, { ...SECCOMP, profile, path })
}

const SECCOMP = { what: 'seccomp', runtimeDefaults: ['runtime/default', 'docker/default'] } as const
const APP_ARMOR = { what: 'apparmor', runtimeDefaults: ['runtime/default'] } as const

type ProfilePlace = {
  readonly what: string
  readonly runtimeDefaults: readonly string[]
  readonly profile: SeccompProfile | AppArmorProfile
  readonly path: string
}

function compareProfile(errors: FieldError[], annotation: string, at: ProfilePlace): void {
  const { type, localhostProfile } = at.profile
  const isLocalhost = annotation.startsWith('localhost/')
  const isSameType =
    type === 'Unconfined'
      ? annotation === 'unconfined'
      : type === 'RuntimeDefault'
        ? at.runtimeDefaults.includes(annotation)
        : type !== 'Localhost' || isLocalhost
  if (!isSameType) errors.push(forbiddenField(`${at.path}.type`, `${at.what} type in annotation and field must match`))
  else if (type === 'Localhost' && annotation !== `localhost/${localhostProfile}`)
    errors.push(forbiddenField(`${at.path}.localhostProfile`, `${at.what} profile in annotation and field must match`))
}

/** AppArmor and mirror annotations never change. `metadata.annotations` is the path. */
export function validateAnnotationUpdates(
  errors: FieldError[],
  annotations: Annotations = {},
  { old = {}, path }: { readonly old: Annotations | undefined; readonly path: string },
): void {
  for (const [name, value] of Object.entries(old)) {
    if (annotations[name] === value) continue
    if (name.startsWith(APP_ARMOR_PREFIX))
      errors.push(forbiddenField(`${path}[${name}]`, 'may not remove or update AppArmor annotations'))
    if (name === MIRROR_ANNOTATION)
      errors.push(forbiddenField(`${path}[${name}]`, 'may not remove or update mirror pod annotation'))
  }
  for (const name of Object.keys(annotations)) {
    if (name in old) continue
    if (name.startsWith(APP_ARMOR_PREFIX))
      errors.push(forbiddenField(`${path}[${name}]`, 'may not add AppArmor annotations'))
    if (name === MIRROR_ANNOTATION) errors.push(forbiddenField(`${path}[${name}]`, 'may not add mirror pod annotation'))
  }
}
