/** Checks the security context of containers and of the pod as a whole. */
import type { PodValidationOptions } from './options.ts'
import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext } from '#api/core/v1.gen.ts'
import { checkEnum, checkId, checkPresent } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, notSupported, required, tooLong } from '#machinery/field-error.ts'
import { checkDescendingPath } from './paths.ts'
import { validateWindowsOptions } from './windows.ts'

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined']
const PROFILE_BYTES_MAX = 4095

export type SecurityOptions = {
  readonly path: string
  /** The pod uses the host's user namespace. */
  readonly hostUsers: boolean
  /** Old objects may combine CAP_SYS_ADMIN with allowPrivilegeEscalation: false. */
  readonly allowSysAdmin: boolean
}

export function validateSecurityContext(
  errors: FieldError[],
  context: SecurityContext | undefined,
  { path, hostUsers, allowSysAdmin }: SecurityOptions,
): void {
  if (context === undefined) return
  checkId(errors, `${path}.runAsUser`, context.runAsUser)
  checkId(errors, `${path}.runAsGroup`, context.runAsGroup)
  checkEnum(errors, `${path}.procMount`, context.procMount, ['Default', 'Unmasked'])
  if (hostUsers && context.procMount === 'Unmasked')
    errors.push(invalidValue(`${path}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'))
  validateSeccompProfile(errors, context.seccompProfile, `${path}.seccompProfile`)
  if (context.allowPrivilegeEscalation === false) validateNoEscalation(errors, context, { path, allowSysAdmin })
  validateWindowsOptions(errors, context.windowsOptions, `${path}.windowsOptions`)
  validateAppArmorProfile(errors, context.appArmorProfile, `${path}.appArmorProfile`)
}

function validateNoEscalation(
  errors: FieldError[],
  context: SecurityContext,
  { path, allowSysAdmin }: { readonly path: string; readonly allowSysAdmin: boolean },
): void {
  const conflict = 'cannot set `allowPrivilegeEscalation` to false and'
  if (context.privileged === true) errors.push(invalidValue(path, context, `${conflict} \`privileged\` to true`))
  if (allowSysAdmin) return
  for (const capability of context.capabilities?.add ?? [])
    if (capability === 'CAP_SYS_ADMIN')
      errors.push(invalidValue(path, context, `${conflict} \`capabilities.Add\` CAP_SYS_ADMIN`))
}

function validateSeccompProfile(errors: FieldError[], profile: SeccompProfile | undefined, path: string): void {
  if (profile === undefined) return
  const { type, localhostProfile } = profile
  if (type === undefined || type === '')
    errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else checkEnum(errors, `${path}.type`, type, PROFILE_TYPES)
  const place = `${path}.localhostProfile`
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      errors.push(invalidValue(place, profile, 'can only be set when seccomp type is Localhost'))
  } else if (localhostProfile === undefined) errors.push(required(place, 'must be set when seccomp type is Localhost'))
  else checkDescendingPath(errors, place, localhostProfile)
}

export function validateAppArmorProfile(
  errors: FieldError[],
  profile: AppArmorProfile | undefined,
  path: string,
): void {
  if (profile === undefined) return
  const { type, localhostProfile } = profile
  const place = `${path}.localhostProfile`
  if (type === 'Localhost') validateLocalhostProfile(errors, localhostProfile, place)
  else if (type === 'RuntimeDefault' || type === 'Unconfined') {
    if (localhostProfile !== undefined)
      errors.push(invalidValue(place, localhostProfile, 'can only be set when AppArmor type is Localhost'))
  } else if (type === undefined || type === '')
    errors.push(required(`${path}.type`, 'type is required when appArmorProfile is set'))
  else errors.push(notSupported(`${path}.type`, type, PROFILE_TYPES))
}

function validateLocalhostProfile(errors: FieldError[], profile: string | undefined, path: string): void {
  if (profile === undefined) {
    errors.push(required(path, 'must be set when AppArmor type is Localhost'))
    return
  }
  if (profile.trim() !== profile) errors.push(invalidValue(path, profile, 'must not be padded with whitespace'))
  else if (profile === '') errors.push(required(path, 'must be set when AppArmor type is Localhost'))
  if (Buffer.byteLength(profile) > PROFILE_BYTES_MAX) errors.push(tooLong(path, PROFILE_BYTES_MAX))
}

export type PodSecurityPlace = SysctlPlace & Pick<PodValidationOptions, 'onlyRecursiveSeLinuxChange'>
type SysctlPlace = { readonly path: string } & Pick<PodValidationOptions, 'allowHostSysctls'>

export function validatePodSecurityContext(errors: FieldError[], spec: PodSpec, place: PodSecurityPlace): void {
  const context = spec.securityContext
  if (context === undefined) return
  const { path } = place
  checkId(errors, `${path}.fsGroup`, context.fsGroup)
  checkId(errors, `${path}.runAsUser`, context.runAsUser)
  checkId(errors, `${path}.runAsGroup`, context.runAsGroup)
  context.supplementalGroups?.forEach((group, i) => checkId(errors, `${path}.supplementalGroups[${i}]`, group))
  validateSysctls(errors, context, { spec, path: `${path}.sysctls`, allowHostSysctls: place.allowHostSysctls })
  checkEnum(errors, `${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'])
  validateSeccompProfile(errors, context.seccompProfile, `${path}.seccompProfile`)
  validateWindowsOptions(errors, context.windowsOptions, `${path}.windowsOptions`)
  validateAppArmorProfile(errors, context.appArmorProfile, `${path}.appArmorProfile`)
  checkEnum(errors, `${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict'])
  const changes = place.onlyRecursiveSeLinuxChange ? ['Recursive'] : ['MountOption', 'Recursive']
  checkEnum(errors, `${path}.seLinuxChangePolicy`, context.seLinuxChangePolicy, changes)
}

const SYSCTL_BYTES_MAX = 253
const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/
const SYSCTL_TEXT = `must have at most ${SYSCTL_BYTES_MAX} characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`

function validateSysctls(
  errors: FieldError[],
  { sysctls = [] }: PodSecurityContext,
  { spec, path, allowHostSysctls }: SysctlPlace & { readonly spec: PodSpec },
): void {
  const seen = new Set<string>()
  for (const [i, { name = '' }] of sysctls.entries()) {
    const place = `${path}[${i}].name`
    if (checkPresent(errors, place, name)) {
      if (name.length > SYSCTL_BYTES_MAX || !SYSCTL.test(name)) errors.push(invalidValue(place, name, SYSCTL_TEXT))
      else if (seen.has(name)) errors.push(duplicate(place, name))
    }
    const conflict = hostSysctlConflict(name, spec)
    if (conflict !== '' && !allowHostSysctls) errors.push(invalidValue(place, name, conflict))
    seen.add(name)
  }
}

const IPC_SYSCTLS =
  /^(?:kernel\.(?:sem|shmall|shmmax|shmmni|shm_rmid_forced|shm|msgmax|msgmnb|msgmni|msg)$|fs\.mqueue\.)/

/** Why a pod that shares a namespace of the host may not set this parameter of it; empty when it may. */
export function hostSysctlConflict(name: string, spec: PodSpec): string {
  const dotted = normalizeSysctl(name).split('*', 1)[0]!
  if (spec.hostNetwork === true && dotted.startsWith('net.')) return "may not be specified when 'hostNetwork' is true"
  if (spec.hostIPC === true && IPC_SYSCTLS.test(dotted)) return "may not be specified when 'hostIPC' is true"
  return ''
}

/** Names may use slashes between their parts; then dots belong to a part. */
function normalizeSysctl(name: string): string {
  const first = name.search(/[./]/)
  if (first === -1 || name[first] === '.') return name
  return name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))
}
