/** The VolumeAttributesClasses that a claim refers to. */
import type { PersistentVolumeClaim } from '#api/core/v1.gen.ts'

/** The one that it asks for, the one that it has, and the one that it is changed to. */
export function attributesClassesOf({ spec, status }: PersistentVolumeClaim): string[] {
  const names = [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return [...new Set(names.filter((name): name is string => name !== undefined && name !== null && name !== ''))]
}
