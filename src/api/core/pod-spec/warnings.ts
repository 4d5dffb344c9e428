/** Warns of deprecated or suspicious parts of a pod spec. */
import type { PodSpec, PodTemplateSpec } from '#api/core/v1.gen.ts'
import { ipWarnings } from '#api/ip.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { TemplateMeta } from '#machinery/meta/template.ts'
import { appArmorProfileOf } from '#api/core/pod/app-armor.ts'
import { APP_ARMOR_PREFIX, SECCOMP_CONTAINER_PREFIX, SECCOMP_POD_ANNOTATION } from './annotations.ts'
import { containerWarnings } from './container-warnings.ts'
import { visitContainers } from './containers-of.ts'
import { fractionWarnings } from './fraction-warnings.ts'
import { affinityWarnings, labelWarnings } from './node-label-warnings.ts'
import { portWarnings } from './port-warnings.ts'
import { volumeWarnings } from './volume-warnings.ts'

type Subject = {
  readonly spec: PodSpec
  readonly metadata: TemplateMeta | undefined
  /** Path of the template with a dot behind it; empty for a pod. */
  readonly prefix: string
}

export function podWarnings({ spec, metadata }: { readonly spec: PodSpec; readonly metadata: TemplateMeta }): string[] {
  return specWarnings({ spec, metadata, prefix: '' })
}

/** `path` is that of the template, `spec.template`. */
export function podTemplateWarnings(template: PodTemplateSpec | undefined, path: string): string[] {
  if (template?.spec === undefined) return []
  return specWarnings({ spec: template.spec, metadata: template.metadata, prefix: `${path}.` })
}

const OLD_ANNOTATIONS: readonly (readonly [string, string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
]

function specWarnings(subject: Subject): string[] {
  const { spec, metadata, prefix } = subject
  const path = `${prefix}spec`
  return [
    ...labelWarnings(spec, path),
    ...OLD_ANNOTATIONS.filter(([name]) => metadata?.annotations?.[name] !== undefined).map(
      ([name, text]) => `${prefix}metadata.annotations[${name}]: ${text}`,
    ),
    ...volumeWarnings(spec.volumes ?? [], `${path}.volumes`),
    ...duplicateWarnings(spec, path),
    ...fractionWarnings(spec.overhead, `${path}.overhead`),
    ...profileWarnings(subject),
    ...containerWarnings(spec, path),
    ...portWarnings(spec, path),
    ...graceWarnings(spec, path),
    ...affinityWarnings(spec, path),
    ...addressWarnings(spec, path),
  ]
}

function duplicateWarnings({ hostAliases = [], imagePullSecrets = [] }: PodSpec, path: string): string[] {
  const warnings: string[] = []
  const seenIps = new Set<string>()
  for (const [i, { ip }] of hostAliases.entries()) {
    if (seenIps.has(ip)) warnings.push(`${path}.hostAliases[${i}].ip: duplicate ip ${JSON.stringify(ip)}`)
    seenIps.add(ip)
  }
  const seenNames = new Set<string>()
  for (const [i, { name = '' }] of imagePullSecrets.entries()) {
    const place = `${path}.imagePullSecrets[${i}].name`
    if (seenNames.has(name)) warnings.push(`${place}: duplicate name ${JSON.stringify(name)}`)
    seenNames.add(name)
  }
  for (const [i, { name = '' }] of imagePullSecrets.entries())
    if (name === '') warnings.push(`${path}.imagePullSecrets[${i}].name: invalid empty name ""`)
  return warnings
}

/** Annotations of seccomp and AppArmor that fields have replaced. */
function profileWarnings({ spec, metadata, prefix }: Subject): string[] {
  const annotations = metadata?.annotations
  if (annotations === undefined) return []
  const warnings: string[] = []
  const seccomp = (name: string): void => {
    if (annotations[name] === undefined) return
    const text = 'non-functional in v1.27+; use the "seccompProfile" field instead'
    warnings.push(`${prefix}metadata.annotations[${name}]: ${text}`)
  }
  if (spec.securityContext?.seccompProfile === undefined) seccomp(SECCOMP_POD_ANNOTATION)
  visitContainers(spec, '', ({ name, securityContext }) => {
    if (securityContext?.seccompProfile === undefined) seccomp(SECCOMP_CONTAINER_PREFIX + name)
    const annotation = annotations[APP_ARMOR_PREFIX + name]
    // In a pod the annotation has become a field already.
    if (prefix === '' || annotation === undefined || securityContext?.appArmorProfile !== undefined) return
    const podProfile = spec.securityContext?.appArmorProfile
    if (podProfile !== undefined && isSemanticallyEqual(podProfile, appArmorProfileOf(annotation))) return
    const text = 'deprecated since v1.30; use the "appArmorProfile" field instead'
    warnings.push(`${prefix}metadata.annotations[${APP_ARMOR_PREFIX}${name}]: ${text}`)
  })
  return warnings
}

function graceWarnings({ terminationGracePeriodSeconds = 0 }: PodSpec, path: string): string[] {
  if (terminationGracePeriodSeconds >= 0) return []
  return [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
}

function addressWarnings({ dnsConfig, hostAliases = [] }: PodSpec, path: string): string[] {
  return [
    ...(dnsConfig?.nameservers ?? []).flatMap((server, i) => ipWarnings(`${path}.dnsConfig.nameservers[${i}]`, server)),
    ...hostAliases.flatMap(({ ip }, i) => ipWarnings(`${path}.hostAliases[${i}].ip`, ip)),
  ]
}
