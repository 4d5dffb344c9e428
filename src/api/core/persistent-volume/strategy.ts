/** How PersistentVolumes are completed and prepared. */
import type { PersistentVolume } from '#api/core/v1.gen.ts'
import type { Strategy, StrategyContext } from '#api/kind.ts'
import { keepSpec, keepStatus } from '#api/strategies.ts'
import { required } from '#machinery/field-error.ts'
import { termWarnings } from '../pod-spec/node-label-warnings.ts'
import { roundAmounts } from '../pod-spec/resource-defaults.ts'
import { setStorageDefaults } from '../pod-spec/volume-defaults.ts'
import { validateVolume, validateVolumeUpdate } from './validation.ts'

export const persistentVolumeStrategy: Strategy<PersistentVolume> = {
  setDefaults(volume) {
    const spec = (volume.spec ??= {})
    spec.persistentVolumeReclaimPolicy ||= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    roundAmounts(spec.capacity)
    if (spec.hostPath) spec.hostPath.type ??= ''
    setStorageDefaults(spec)
    const status = (volume.status ??= {})
    status.phase ||= 'Pending'
  },
  prepareForCreate(volume, context) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: now(context) }
  },
  prepareForUpdate(volume, old, context) {
    if (context.subresource !== 'status') return keepStatus(volume, old)
    keepSpec(volume, old)
    prepareStatus(volume, old, context)
  },
  validate: (volume) => validateVolume(volume, null),
  validateUpdate(volume, old, { subresource, features }) {
    if (subresource !== 'status') return validateVolumeUpdate(volume, old, features)
    return volume.metadata.resourceVersion ? [] : [required('resourceVersion')]
  },
  warnings,
}

const now = ({ clock }: StrategyContext): string => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`

/** The time of the last change of phase is the server's, unless the writer knows it better. */
function prepareStatus(volume: PersistentVolume, old: PersistentVolume, context: StrategyContext): void {
  const before = old.status?.lastPhaseTransitionTime
  const sent = volume.status?.lastPhaseTransitionTime
  const isSamePhase = volume.status?.phase === old.status?.phase
  if (isSamePhase ? sent !== undefined || before === undefined : sent !== undefined && sent !== before) return
  volume.status = { ...volume.status, lastPhaseTransitionTime: isSamePhase ? before! : now(context) }
}

const OLD_ANNOTATIONS: Readonly<Record<string, string>> = {
  'volume.beta.kubernetes.io/storage-class': 'deprecated since v1.8; use "storageClassName" attribute instead',
  'volume.beta.kubernetes.io/mount-options': 'deprecated since v1.31; use "mountOptions" attribute instead',
}

/** Drivers that no longer do anything: field, last version but one, and the words of the path. */
const OLD_SOURCES = {
  cephfs: ['cephfs', 'v1.28', 'v1.31'],
  photonPersistentDisk: ['photonPersistentDisk', 'v1.11', 'v1.16'],
  scaleIO: ['scaleIO', 'v1.16', 'v1.22'],
  storageos: ['storageOS', 'v1.22', 'v1.25'],
  glusterfs: ['glusterfs', 'v1.25', 'v1.26'],
  rbd: ['rbd', 'v1.28', 'v1.31'],
} as const

function warnings({ metadata, spec }: PersistentVolume): string[] {
  const found: string[] = []
  for (const [name, text] of Object.entries(OLD_ANNOTATIONS))
    if (metadata.annotations?.[name] !== undefined) found.push(`metadata.annotations[${name}]: ${text}`)
  if (spec.persistentVolumeReclaimPolicy === 'Recycle')
    found.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    )
  for (const [i, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries())
    found.push(
      ...termWarnings(term, { path: `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`, checksValues: false }),
    )
  for (const [source, [name, since, gone]] of Object.entries(OLD_SOURCES))
    if (spec[source as keyof typeof OLD_SOURCES] !== undefined)
      found.push(`spec.${name}: deprecated in ${since}, non-functional in ${gone}+`)
  return found
}
