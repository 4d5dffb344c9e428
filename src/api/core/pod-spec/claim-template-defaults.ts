/** Fills the defaults of claims for volumes. */
import type { PersistentVolumeClaimSpec } from '#api/core/v1.gen.ts'
import { roundRequirements } from './resource-defaults.ts'

export function setClaimSpecDefaults(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem'
  roundRequirements(spec.resources)
}
