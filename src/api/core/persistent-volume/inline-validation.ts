/** Checks the volume that a VolumeAttachment carries with it: a CSI volume, without what only a stored one has. */
import type { PersistentVolumeSpec } from '#api/core/v1.gen.ts'
import { type FieldError, forbiddenField, required } from '#machinery/field-error.ts'
import { validateAccessModes } from '../pod-spec/claim-template.ts'
import { validateSources } from './sources.ts'

const NOT_INLINE = 'may not be specified in the context of inline volumes'

export function validateInlineVolume(errors: FieldError[], path: string, spec: PersistentVolumeSpec): void {
  if (spec.claimRef !== undefined) errors.push(forbiddenField(`${path}.claimRef`, NOT_INLINE))
  if (Object.keys(spec.capacity ?? {}).length > 0) errors.push(forbiddenField(`${path}.capacity`, NOT_INLINE))
  if (spec.csi === undefined)
    errors.push(required(`${path}.csi`, 'has to be specified in the context of inline volumes'))
  if ((spec.accessModes ?? []).length === 0) errors.push(required(`${path}.accessModes`))
  validateAccessModes(errors, spec.accessModes ?? [], `${path}.accessModes`)
  const policy = spec.persistentVolumeReclaimPolicy
  if (policy && policy !== 'Retain')
    errors.push(
      forbiddenField(`${path}.persistentVolumeReclaimPolicy`, 'may only be Retain in the context of inline volumes'),
    )
  if (spec.nodeAffinity !== undefined) errors.push(forbiddenField(`${path}.nodeAffinity`, NOT_INLINE))
  validateSources(errors, { name: '', spec, path })
  if (spec.storageClassName) errors.push(forbiddenField(`${path}.storageClassName`, NOT_INLINE))
  const text = 'may not specify volumeMode other than Filesystem in the context of inline volumes'
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem')
    errors.push(forbiddenField(`${path}.volumeMode`, text))
}
