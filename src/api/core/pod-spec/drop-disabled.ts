/** Removes fields of features that are off in this version, unless the stored object uses them already. */
import type { PodSpec, PodTemplateSpec, Probe } from '#api/core/v1.gen.ts'
import type { TemplateMeta } from '#machinery/meta/template.ts'
import { type AnyContainer, someContainer } from './containers-of.ts'

/** Init containers were annotations once. */
const INIT_CONTAINER_ANNOTATIONS = [
  'pod.beta.kubernetes.io/init-containers',
  'pod.alpha.kubernetes.io/init-containers',
  'pod.beta.kubernetes.io/init-container-statuses',
  'pod.alpha.kubernetes.io/init-container-statuses',
]

export function dropDisabledTemplateFields(template: PodTemplateSpec, old: PodTemplateSpec | undefined): void {
  if (template.spec) dropDisabledFields(template.spec, { old: old?.spec, metadata: template.metadata })
}

export type DropOptions = { readonly old: PodSpec | undefined; readonly metadata: TemplateMeta | undefined }

export function dropDisabledFields(spec: PodSpec, { old, metadata }: DropOptions): void {
  if (spec.schedulingGroup !== undefined && old?.schedulingGroup === undefined) delete spec.schedulingGroup
  if (spec.evictionResponders !== undefined && !(old?.evictionResponders?.length ?? 0)) delete spec.evictionResponders
  dropVolumeFields(spec, old)
  dropContainerFields(spec, old)
  for (const name of INIT_CONTAINER_ANNOTATIONS) delete metadata?.annotations?.[name]
}

function dropVolumeFields(spec: PodSpec, old: PodSpec | undefined): void {
  if (spec.volumes === undefined) return
  const keepsMode = old?.volumes?.some(({ emptyDir }) => emptyDir?.mode !== undefined) ?? false
  if (!keepsMode) for (const { emptyDir } of spec.volumes) if (emptyDir) delete emptyDir.mode
  const keepsUsers = old?.volumes?.some(usesFileUsers) ?? false
  if (!keepsUsers) for (const volume of spec.volumes) for (const holder of userHolders(volume)) dropUsers(holder)
}

type UserHolder = { defaultUser?: number; user?: number }
type Volume = NonNullable<PodSpec['volumes']>[number]

/** Everything in a volume that can name the owner of its files. */
function userHolders({ secret, configMap, downwardAPI, projected }: Volume): UserHolder[] {
  const holders: (UserHolder | undefined)[] = [secret, configMap, downwardAPI, projected]
  for (const part of [secret, configMap, downwardAPI]) holders.push(...(part?.items ?? []))
  for (const source of projected?.sources ?? []) {
    holders.push(source.serviceAccountToken, source.clusterTrustBundle, source.podCertificate)
    for (const part of [source.secret, source.configMap, source.downwardAPI]) holders.push(...(part?.items ?? []))
  }
  return holders.filter((holder) => holder !== undefined)
}

function usesFileUsers(volume: Volume): boolean {
  return userHolders(volume).some(({ defaultUser, user }) => defaultUser !== undefined || user !== undefined)
}

function dropUsers(holder: UserHolder): void {
  delete holder.defaultUser
  delete holder.user
}

/** What a container may only keep when the old object has it too. */
const CONTAINER_DROPS: readonly {
  isUsed(container: AnyContainer): boolean
  drop(container: AnyContainer): void
}[] = [
  {
    isUsed: ({ lifecycle }) => lifecycle?.stopSignal !== undefined,
    drop(container) {
      delete container.lifecycle!.stopSignal
      if (Object.keys(container.lifecycle!).length === 0) delete container.lifecycle
    },
  },
  {
    isUsed: ({ volumeMounts = [] }) => volumeMounts.some(({ bindMountOptions }) => bindMountOptions !== undefined),
    drop({ volumeMounts = [] }) {
      for (const mount of volumeMounts) delete mount.bindMountOptions
    },
  },
  {
    isUsed: (container) => probesOf(container).some(({ grpc }) => grpc?.mode !== undefined),
    drop(container) {
      for (const { grpc } of probesOf(container)) if (grpc) delete grpc.mode
    },
  },
  {
    isUsed: (container) => httpActions(container).some((action) => action.protocol !== undefined),
    drop(container) {
      for (const action of httpActions(container)) delete action.protocol
    },
  },
]

function dropContainerFields(spec: PodSpec, old: PodSpec | undefined): void {
  for (const { isUsed, drop } of CONTAINER_DROPS) {
    if (!someContainer(spec, isUsed) || (old !== undefined && someContainer(old, isUsed))) continue
    const lists: (readonly AnyContainer[] | undefined)[] = [
      spec.initContainers,
      spec.containers,
      spec.ephemeralContainers,
    ]
    for (const list of lists) for (const container of list ?? []) if (isUsed(container)) drop(container)
  }
}

function probesOf({ livenessProbe, readinessProbe, startupProbe }: AnyContainer): Probe[] {
  return [livenessProbe, readinessProbe, startupProbe].filter((probe) => probe !== undefined)
}

function httpActions(container: AnyContainer): NonNullable<Probe['httpGet']>[] {
  const { postStart, preStop } = container.lifecycle ?? {}
  return [...probesOf(container).map(({ httpGet }) => httpGet), postStart?.httpGet, preStop?.httpGet].filter(
    (action) => action !== undefined,
  )
}
