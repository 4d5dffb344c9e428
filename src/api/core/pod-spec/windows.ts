/** Checks that need to know the operating system of a pod: options of Windows containers, and what is not for them. */
import type { PodSpec, SecurityContext, WindowsSecurityContextOptions } from '#api/core/v1.gen.ts'
import { checkDnsSubdomain, checkPresent } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported } from '#machinery/field-error.ts'
import { visitContainers } from './containers-of.ts'

const CREDENTIAL_SPEC_BYTES_MAX = 64 * 1024
const DOMAIN_BYTES_MAX = 256
const USER_BYTES_MAX = 104

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/
const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const DNS_DOMAIN = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/
const BAD_USER = /["/\\:;|=,+*?<>@[\]]/
const DOTS_AND_SPACES = /^[. ]+$/

export function validateWindowsOptions(
  errors: FieldError[],
  options: WindowsSecurityContextOptions | undefined,
  path: string,
): void {
  if (options === undefined) return
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options
  if (gmsaCredentialSpecName !== undefined)
    checkDnsSubdomain(errors, `${path}.gmsaCredentialSpecName`, gmsaCredentialSpecName)
  if (gmsaCredentialSpec !== undefined) {
    const place = `${path}.gmsaCredentialSpec`
    const bytes = Buffer.byteLength(gmsaCredentialSpec)
    if (bytes === 0)
      errors.push(invalidValue(place, gmsaCredentialSpec, 'gmsaCredentialSpec cannot be an empty string'))
    else if (bytes > CREDENTIAL_SPEC_BYTES_MAX)
      errors.push(invalidValue(place, gmsaCredentialSpec, 'gmsaCredentialSpec size must be under 64 KiB'))
  }
  if (runAsUserName !== undefined)
    for (const text of whatIsWrongWithUser(runAsUserName))
      errors.push(invalidValue(`${path}.runAsUserName`, runAsUserName, `runAsUserName${text}`))
}

/** A user of Windows is `name` or `domain\name`. */
function whatIsWrongWithUser(full: string): string[] {
  if (full === '') return [' cannot be an empty string']
  if (CONTROL.test(full)) return [' cannot contain control characters']
  const parts = full.split('\\')
  if (parts.length > 2) return [' cannot contain more than one backslash']
  const [domain, user] = parts.length === 1 ? [undefined, parts[0]!] : [parts[0]!, parts[1]!]
  const texts: string[] = []
  if (Buffer.byteLength(domain ?? '') >= DOMAIN_BYTES_MAX)
    texts.push(`'s Domain length must be under ${DOMAIN_BYTES_MAX} characters`)
  if (domain !== undefined && !NET_BIOS.test(domain) && !DNS_DOMAIN.test(domain))
    texts.push("'s Domain doesn't match the NetBios nor the DNS format")
  if (user === '') texts.push("'s User cannot be empty")
  else if (Buffer.byteLength(user) > USER_BYTES_MAX)
    texts.push(`'s User length must not be longer than ${USER_BYTES_MAX} characters`)
  if (DOTS_AND_SPACES.test(user)) texts.push("'s User cannot contain only periods or spaces")
  if (BAD_USER.test(user)) texts.push(`'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]`)
  return texts
}

/** Host process containers: all or none of a pod, and on the host's network. */
export function validateHostProcess(errors: FieldError[], spec: PodSpec, path: string): void {
  const podValue = spec.securityContext?.windowsOptions?.hostProcess
  let all = 0
  let hostProcesses = 0
  visitContainers(spec, path, (container, place) => {
    all++
    const value = container.securityContext?.windowsOptions?.hostProcess
    if (podValue !== undefined && value !== undefined && podValue !== value) {
      const text = `pod hostProcess value must be identical if both are specified, was ${podValue}`
      errors.push(invalidValue(`${place}.securityContext.windowsOptions.hostProcess`, value, text))
    }
    if (value ?? podValue ?? false) hostProcesses++
  })
  if (hostProcesses === 0) return
  if (hostProcesses !== all)
    errors.push(
      invalidValue(
        path,
        '',
        'If pod contains any hostProcess containers then all containers must be HostProcess containers',
      ),
    )
  if (spec.hostNetwork !== true)
    errors.push(
      invalidValue(`${path}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'),
    )
}

const NOT_ON_WINDOWS_POD = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const

const NOT_ON_WINDOWS_CONTAINER = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const satisfies readonly (keyof SecurityContext)[]

/** What spec.os allows; nothing to say when the pod names no system. */
export function validateOperatingSystem(errors: FieldError[], spec: PodSpec, path: string): void {
  if (spec.os === undefined) return
  const { name } = spec.os
  if (!checkPresent(errors, `${path}.os.name`, name)) return
  if (name === 'linux') validateLinux(errors, spec, path)
  else if (name === 'windows') validateWindows(errors, spec, path)
  else errors.push(notSupported(`${path}.os`, name, ['linux', 'windows']))
}

function validateLinux(errors: FieldError[], spec: PodSpec, path: string): void {
  const text = 'windows options cannot be set for a linux pod'
  if (spec.securityContext?.windowsOptions !== undefined)
    errors.push(forbiddenField(`${path}.securityContext.windowsOptions`, text))
  visitContainers(spec, path, ({ securityContext }, place) => {
    if (securityContext?.windowsOptions !== undefined)
      errors.push(forbiddenField(`${place}.securityContext.windowsOptions`, text))
  })
}

function validateWindows(errors: FieldError[], spec: PodSpec, path: string): void {
  const forbid = (place: string): void => void errors.push(forbiddenField(place, 'cannot be set for a windows pod'))
  for (const field of NOT_ON_WINDOWS_POD)
    if (spec.securityContext?.[field] !== undefined) forbid(`${path}.securityContext.${field}`)
  if (spec.hostUsers !== undefined) forbid(`${path}.hostUsers`)
  if (spec.hostPID === true) forbid(`${path}.hostPID`)
  if (spec.hostIPC === true) forbid(`${path}.hostIPC`)
  if (spec.shareProcessNamespace !== undefined) forbid(`${path}.shareProcessNamespace`)
  visitContainers(spec, path, ({ securityContext }, place) => {
    for (const field of NOT_ON_WINDOWS_CONTAINER)
      if (securityContext?.[field] !== undefined) forbid(`${place}.securityContext.${field}`)
  })
}
