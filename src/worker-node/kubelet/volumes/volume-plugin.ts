/** What a kind of volume is to the kubelet: it makes a folder or file on the node that containers then mount. */
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Volume } from '#api/core/v1.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { NodeFacts } from '../containers/field-values.ts'
import type { Mounter } from './mounter.ts'
import type { TokenManager } from './token-manager.ts'

export type VolumeContext = {
  readonly pod: Pod
  readonly volume: Volume
  /** This volume's own folder below the pod's; not made yet. */
  readonly path: string
  readonly facts: NodeFacts
  readonly mounter: Mounter
  readonly clock: Clock
  readonly tokens: TokenManager
  readonly sources: VolumeSources
  readonly signal: AbortSignal
}

export type VolumeSources = {
  configMap(namespace: string, name: string): Promise<ConfigMap | null>
  secret(namespace: string, name: string): Promise<Secret | null>
  claim(namespace: string, name: string): Promise<PersistentVolumeClaim | null>
  persistentVolume(name: string): Promise<PersistentVolume | null>
}

export type MountedVolume = {
  /** What containers bind: a folder, or for hostPath anything. */
  readonly hostPath: string
  /** The volume itself is read-only, whatever the container asks. */
  readonly readOnly: boolean
  /** The runtime mounts the files of this image itself. */
  readonly image?: { readonly reference: string }
  /** `hostPath` is a device, for `volumeDevices` only; all others are for `volumeMounts` only. */
  readonly isBlock?: boolean
}

export interface VolumePlugin {
  /** `kubernetes.io/empty-dir`; the folder's name has `~` for the slash, as upstream's. */
  readonly name: string
  supports(volume: Volume): boolean
  /** Idempotent: also called for a volume that is there, after a restart and to bring new content in. */
  setUp(context: VolumeContext): Promise<MountedVolume>
  /** Undoes mounts; the folder itself is removed by the caller. Absent: nothing is mounted. */
  tearDown?(path: string, mounter: Mounter): Promise<void>
  /** True when setUp has to be repeated while the pod runs (ConfigMaps, Secrets, tokens). */
  readonly isLive: boolean
}
