/** Turns security contexts of pod and container into CRI's: user, capabilities, seccomp, namespaces. */
import { join } from 'node:path'
import type { AppArmorProfile, Capabilities, Container, Pod, SeccompProfile } from '#api/core/v1.gen.ts'
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  NamespaceMode,
  SecurityProfile_ProfileType,
  SupplementalGroupsPolicy,
  type LinuxContainerSecurityContextSchema,
  type LinuxSandboxSecurityContextSchema,
  type NamespaceOptionSchema,
  type SecurityProfileSchema,
} from '../runtime/proto/cri_pb.ts'
import type { Image } from '../runtime/runtime-service.ts'
import { isHostNetwork } from '../pods/pod-facts.ts'
import { ConfigError } from './environment.ts'

type Namespaces = MessageInitShape<typeof NamespaceOptionSchema>
type Profile = MessageInitShape<typeof SecurityProfileSchema>

/** Hidden from containers unless procMount is Unmasked. */
const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

export function namespacesOf(pod: Pod, targetId?: string): Namespaces {
  const { hostPID, hostIPC, shareProcessNamespace } = pod.spec
  const pid = hostPID ? NamespaceMode.NODE : shareProcessNamespace ? NamespaceMode.POD : NamespaceMode.CONTAINER
  return {
    network: isHostNetwork(pod) ? NamespaceMode.NODE : NamespaceMode.POD,
    ipc: hostIPC ? NamespaceMode.NODE : NamespaceMode.POD,
    ...(targetId === undefined ? { pid } : { pid: NamespaceMode.TARGET, targetId }),
  }
}

/** fsGroup is a group of every process of the pod. */
export function supplementalGroupsOf(pod: Pod): bigint[] {
  const { supplementalGroups = [], fsGroup } = pod.spec.securityContext ?? {}
  return [...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])].map(BigInt)
}

function groupsPolicy(pod: Pod): SupplementalGroupsPolicy {
  return pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict'
    ? SupplementalGroupsPolicy.Strict
    : SupplementalGroupsPolicy.Merge
}

/** The pause container asks for nothing: without a seccomp filter its start costs a fifth less (measured). */
export function sandboxSecurityContext(
  pod: Pod,
  seccompDir: string,
): MessageInitShape<typeof LinuxSandboxSecurityContextSchema> {
  const context = pod.spec.securityContext
  const isPrivileged = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some(
    (container) => container.securityContext?.privileged,
  )
  return {
    namespaceOptions: namespacesOf(pod),
    privileged: isPrivileged,
    supplementalGroups: supplementalGroupsOf(pod),
    supplementalGroupsPolicy: groupsPolicy(pod),
    seccomp: seccompProfile(context?.seccompProfile, seccompDir),
    ...(context?.runAsUser !== undefined && { runAsUser: { value: BigInt(context.runAsUser) } }),
    ...(context?.runAsUser !== undefined &&
      context.runAsGroup !== undefined && { runAsGroup: { value: BigInt(context.runAsGroup) } }),
  }
}

export type SecurityInputs = {
  readonly image: Image
  readonly seccompDir: string
  /** Container whose processes an ephemeral container sees. */
  readonly targetId?: string
}

export function containerSecurityContext(
  pod: Pod,
  container: Container,
  { image, seccompDir, targetId }: SecurityInputs,
): MessageInitShape<typeof LinuxContainerSecurityContextSchema> {
  const [own, shared] = [container.securityContext ?? {}, pod.spec.securityContext ?? {}]
  const runAsUser = own.runAsUser ?? shared.runAsUser
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup
  if (own.runAsNonRoot ?? shared.runAsNonRoot) assertNotRoot(pod, container, runAsUser, image)
  const isPrivileged = own.privileged ?? false
  const apparmor = own.appArmorProfile ?? shared.appArmorProfile
  const hidesPaths = !isPrivileged && own.procMount !== 'Unmasked'
  return {
    namespaceOptions: namespacesOf(pod, targetId),
    privileged: isPrivileged,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    supplementalGroups: supplementalGroupsOf(pod),
    supplementalGroupsPolicy: groupsPolicy(pod),
    seccomp: isPrivileged
      ? { profileType: SecurityProfile_ProfileType.Unconfined }
      : seccompProfile(own.seccompProfile ?? shared.seccompProfile, seccompDir),
    maskedPaths: hidesPaths ? MASKED_PATHS : [],
    readonlyPaths: hidesPaths ? READONLY_PATHS : [],
    ...userOf(runAsUser, runAsGroup, image),
    ...(own.capabilities && { capabilities: capabilitiesOf(own.capabilities) }),
    ...(apparmor && { apparmor: apparmorProfile(apparmor) }),
  }
}

/** Without a user of its own the image's counts; a group alone needs that user to be said. */
function userOf(
  runAsUser: number | undefined,
  runAsGroup: number | undefined,
  image: Image,
): { runAsUser?: { value: bigint }; runAsUsername?: string; runAsGroup?: { value: bigint } } {
  const uid = runAsUser ?? image.uid
  return {
    ...(uid !== undefined && { runAsUser: { value: BigInt(uid) } }),
    ...(uid === undefined && image.username !== '' && { runAsUsername: image.username }),
    ...(runAsGroup !== undefined && { runAsGroup: { value: BigInt(runAsGroup) } }),
  }
}

function assertNotRoot(pod: Pod, container: Container, runAsUser: number | undefined, image: Image): void {
  const about = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${about}`)
    return
  }
  if (image.uid === 0) throw new ConfigError(`container has runAsNonRoot and image will run as root ${about}`)
  if (image.uid === undefined && image.username !== '')
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${about}`,
    )
  if (image.uid === undefined) throw new ConfigError(`container has runAsNonRoot and image will run as root ${about}`)
}

const capabilitiesOf = ({
  add = [],
  drop = [],
}: Capabilities): { addCapabilities: string[]; dropCapabilities: string[] } => ({
  addCapabilities: add,
  dropCapabilities: drop,
})

function seccompProfile(profile: SeccompProfile | undefined, seccompDir: string): Profile {
  if (profile?.type === 'RuntimeDefault') return { profileType: SecurityProfile_ProfileType.RuntimeDefault }
  if (profile?.type !== 'Localhost') return { profileType: SecurityProfile_ProfileType.Unconfined }
  return {
    profileType: SecurityProfile_ProfileType.Localhost,
    localhostRef: join(seccompDir, profile.localhostProfile ?? ''),
  }
}

function apparmorProfile(profile: AppArmorProfile): Profile {
  if (profile.type === 'Unconfined') return { profileType: SecurityProfile_ProfileType.Unconfined }
  if (profile.type !== 'Localhost') return { profileType: SecurityProfile_ProfileType.RuntimeDefault }
  return { profileType: SecurityProfile_ProfileType.Localhost, localhostRef: profile.localhostProfile ?? '' }
}
