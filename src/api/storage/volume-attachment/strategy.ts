/** How VolumeAttachments are prepared and checked. */
import type { PersistentVolumeSpec } from '#api/core/v1.gen.ts'
import { validateCsiDriverName } from '#api/core/pod-spec/storage-volumes.ts'
import { validateInlineVolume } from '#api/core/persistent-volume/inline-validation.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { VolumeAttachment, VolumeError } from '#api/storage/v1.gen.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { checkDeclaredDriver, checkDnsSubdomain, checkText, immutableField } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from '#machinery/field-error.ts'
import { isDns1123Subdomain } from '#machinery/validation/names.ts'
import { byteLength, rangeText } from '#machinery/validation/texts.ts'

const METADATA_BYTES_MAX = 256 * 1024
const MESSAGE_BYTES_MAX = 1024
const INT32_MAX = 2_147_483_647
const ONE_SOURCE = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'

export const volumeAttachmentStrategy: Strategy<VolumeAttachment> = {
  ...specStatusStrategy<VolumeAttachment>({ generation: false, resetsMetaForStatus: true }),
  requireResourceVersion: true,
  validate(attachment) {
    const errors = validateAttachment(attachment)
    checkDeclaredDriver(errors, 'spec.attacher', attachment.spec.attacher ?? '')
    return errors
  },
  validateUpdate(attachment, old) {
    const errors: FieldError[] = []
    validateCsiDriverName(errors, attachment.spec.attacher ?? '', 'spec.attacher')
    errors.push(...validateAttachment(attachment))
    if (!isSemanticallyEqual(attachment.spec, old.spec)) errors.push(immutableField('spec'))
    return errors
  },
}

function validateAttachment({ spec, status }: VolumeAttachment): FieldError[] {
  const errors: FieldError[] = []
  const source = spec.source ?? {}
  validateSource(errors, source.persistentVolumeName, source.inlineVolumeSpec as PersistentVolumeSpec | undefined)
  checkDnsSubdomain(errors, 'spec.nodeName', spec.nodeName ?? '')
  let bytes = 0
  for (const [name, value] of Object.entries(status?.attachmentMetadata ?? {}))
    bytes += byteLength(name) + byteLength(value)
  if (bytes > METADATA_BYTES_MAX) errors.push(tooLong('status.attachmentMetadata', METADATA_BYTES_MAX))
  validateError(errors, 'status.attachError', status?.attachError)
  validateError(errors, 'status.detachError', status?.detachError)
  const name = source.persistentVolumeName
  if (name !== undefined) checkText(errors, 'spec.source.persistentVolumeName', name, isDns1123Subdomain)
  return errors
}

function validateSource(
  errors: FieldError[],
  name: string | undefined,
  inline: PersistentVolumeSpec | undefined,
): void {
  const path = 'spec.source'
  if (name === undefined && inline === undefined) errors.push(required(path, ONE_SOURCE))
  else if (name !== undefined && inline !== undefined) errors.push(forbiddenField(path, ONE_SOURCE))
  else if (name === '')
    errors.push(required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'))
  else if (inline !== undefined) validateInlineVolume(errors, `${path}.inlineVolumeSpec`, inline)
}

function validateError(errors: FieldError[], path: string, error: VolumeError | undefined): void {
  if (error === undefined) return
  if (byteLength(error.message ?? '') > MESSAGE_BYTES_MAX) errors.push(tooLong(`${path}.message`, MESSAGE_BYTES_MAX))
  if (error.errorCode !== undefined && error.errorCode < 0)
    errors.push(invalidValue(`${path}.errorCode`, error.errorCode, rangeText(0, INT32_MAX)))
}
