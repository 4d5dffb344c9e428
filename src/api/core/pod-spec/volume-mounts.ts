/** Checks how containers mount volumes, as file systems and as block devices. */
import type { Volume, VolumeMount } from '#api/core/v1.gen.ts'
import { checkEnum } from '#api/validation.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from '#machinery/field-error.ts'
import type { AnyContainer } from './containers-of.ts'
import { checkDescendingPath, hasBacksteps } from './paths.ts'

/** The pod's valid volumes by name. */
export type Volumes = ReadonlyMap<string, Volume>

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']
const BIND_MOUNT_OPTIONS = ['nodev', 'noexec', 'nosuid']

type MountPlace = { readonly path: string; readonly volumes: Volumes; readonly container: AnyContainer }

export function validateVolumeMounts(
  errors: FieldError[],
  container: AnyContainer,
  { path, volumes }: { readonly path: string; readonly volumes: Volumes },
): void {
  const mounts = container.volumeMounts
  if (mounts === undefined) return
  const devices = container.volumeDevices ?? []
  const seen = new Set<string>()
  for (const [i, mount] of mounts.entries()) {
    const place = `${path}[${i}]`
    const { name = '', mountPath = '' } = mount
    if (name === '') errors.push(required(`${place}.name`))
    if (!volumes.has(name)) errors.push(notFoundValue(`${place}.name`, name))
    if (mountPath === '') errors.push(required(`${place}.mountPath`))
    if (seen.has(mountPath)) errors.push(invalidValue(`${place}.mountPath`, mountPath, 'must be unique'))
    seen.add(mountPath)
    if (devices.some((device) => device.name === name))
      errors.push(invalidValue(`${place}.name`, name, 'must not already exist in volumeDevices'))
    if (devices.some((device) => device.devicePath === mountPath))
      errors.push(invalidValue(`${place}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'))
    validateSubPaths(errors, mount, { path, place })
    validateMountMode(errors, mount, { path, volumes, container })
    validateBindMountOptions(errors, mount, { place: `${place}.bindMountOptions`, volumes })
  }
}

/** Upstream reports what is wrong with a sub path at the list, not at the item. */
function validateSubPaths(
  errors: FieldError[],
  { subPath = '', subPathExpr = '' }: VolumeMount,
  { path, place }: { readonly path: string; readonly place: string },
): void {
  if (subPath !== '') checkDescendingPath(errors, `${path}.subPath`, subPath)
  if (subPathExpr === '') return
  if (subPath !== '')
    errors.push(invalidValue(`${place}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
  checkDescendingPath(errors, `${path}.subPathExpr`, subPathExpr)
}

function validateMountMode(errors: FieldError[], mount: VolumeMount, { path, container }: MountPlace): void {
  const { mountPropagation, recursiveReadOnly } = mount
  checkEnum(errors, `${path}.mountPropagation`, mountPropagation, PROPAGATIONS)
  if (mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    const text = 'Bidirectional mount propagation is available only to privileged containers'
    errors.push(forbiddenField(`${path}.mountPropagation`, text))
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return
  const place = `${path}.recursiveReadOnly`
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    errors.push(notSupported(place, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']))
    return
  }
  if (mount.readOnly !== true) errors.push(forbiddenField(place, 'may only be specified when readOnly is true'))
  if (mountPropagation !== undefined && mountPropagation !== 'None')
    errors.push(forbiddenField(place, 'may only be specified when mountPropagation is None or not specified'))
}

function validateBindMountOptions(
  errors: FieldError[],
  { name, bindMountOptions = [] }: VolumeMount,
  { place, volumes }: { readonly place: string; readonly volumes: Volumes },
): void {
  const seen = new Set<string>()
  for (const [i, option] of bindMountOptions.entries()) {
    checkEnum(errors, `${place}[${i}]`, option, BIND_MOUNT_OPTIONS)
    if (seen.has(option)) errors.push(duplicate(`${place}[${i}]`, option))
    seen.add(option)
  }
  if (bindMountOptions.length > 0 && volumes.get(name)?.image !== undefined)
    errors.push(invalidValue(place, bindMountOptions, 'bindMountOptions may not be used with image volumes'))
}

export function validateVolumeDevices(
  errors: FieldError[],
  { volumeDevices, volumeMounts = [] }: AnyContainer,
  { path, volumes }: { readonly path: string; readonly volumes: Volumes },
): void {
  if (volumeDevices === undefined) return
  const names = new Set<string>()
  const paths = new Set<string>()
  for (const [i, { name = '', devicePath = '' }] of volumeDevices.entries()) {
    const bad = (field: 'name' | 'devicePath', text: string): void => {
      errors.push(invalidValue(`${path}[${i}].${field}`, field === 'name' ? name : devicePath, text))
    }
    if (name === '') errors.push(required(`${path}[${i}].name`))
    if (names.has(name)) bad('name', 'must be unique')
    const volume = volumes.get(name)
    if (volume === undefined) errors.push(notFoundValue(`${path}[${i}].name`, name))
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined)
      bad('name', 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode')
    if (devicePath === '') errors.push(required(`${path}[${i}].devicePath`))
    if (paths.has(devicePath)) bad('devicePath', 'must be unique')
    if (hasBacksteps(devicePath)) bad('devicePath', "can not contain backsteps ('..')")
    else paths.add(devicePath)
    if (volumeMounts.some((mount) => mount.name === name)) bad('name', 'must not already exist in volumeMounts')
    if (volumeMounts.some((mount) => mount.mountPath === devicePath))
      bad('devicePath', 'must not already exist as a path in volumeMounts')
    if (name !== '') names.add(name)
  }
}
