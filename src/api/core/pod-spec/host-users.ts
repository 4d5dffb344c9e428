/** Checks pods that have a user namespace of their own: what of the host they may not share then. */
import type { PodSpec } from '#api/core/v1.gen.ts'
import { type FieldError, forbiddenField } from '#machinery/field-error.ts'
import { visitContainers } from './containers-of.ts'
import type { PodValidationOptions } from './options.ts'

const TEXT = 'when `hostUsers` is false'

export function validateHostUsers(
  errors: FieldError[],
  spec: PodSpec,
  { path, options }: { readonly path: string; readonly options: PodValidationOptions },
): void {
  if (spec.hostUsers !== false) return
  if (spec.hostNetwork === true && !options.allowHostNetworkWithUserNamespace)
    errors.push(forbiddenField(`${path}.hostNetwork`, TEXT))
  // Upstream spells these two fields with capitals.
  if (spec.hostPID === true) errors.push(forbiddenField(`${path}.HostPID`, TEXT))
  if (spec.hostIPC === true) errors.push(forbiddenField(`${path}.HostIPC`, TEXT))
  if (options.allowDevicesWithUserNamespace) return
  visitContainers(spec, path, ({ volumeDevices = [] }, place) => {
    if (volumeDevices.length > 0) errors.push(forbiddenField(`${place}.volumeDevices`, TEXT))
  })
}
