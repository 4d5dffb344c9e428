/** Checks the ports of containers: numbers, names, protocols, and that no host port is asked for twice. */
import type { Container, ContainerPort, PodSpec } from '#api/core/v1.gen.ts'
import { checkPort, checkRequiredEnum } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { isValidPortName } from '#machinery/validation/names.ts'
import type { AnyContainer } from './containers-of.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

export function validateContainerPorts(errors: FieldError[], { ports = [] }: AnyContainer, path: string): void {
  const names = new Set<string>()
  for (const [i, port] of ports.entries()) validatePort(errors, port, { path: `${path}.ports[${i}]`, names })
}

type PortPlace = { readonly path: string; readonly names: Set<string> }

function validatePort(errors: FieldError[], port: ContainerPort, { path, names }: PortPlace): void {
  const { name = '', hostPort = 0 } = port
  if (name !== '') validatePortName(errors, name, { path: `${path}.name`, names })
  if ((port.containerPort ?? 0) === 0) errors.push(required(`${path}.containerPort`))
  else checkPort(errors, `${path}.containerPort`, port.containerPort)
  if (hostPort !== 0) checkPort(errors, `${path}.hostPort`, hostPort)
  checkRequiredEnum(errors, `${path}.protocol`, port.protocol, PROTOCOLS)
}

function validatePortName(errors: FieldError[], name: string, { path, names }: PortPlace): void {
  const messages = isValidPortName(name)
  for (const message of messages) errors.push(invalidValue(path, name, message))
  if (messages.length > 0) return
  if (names.has(name)) errors.push(duplicate(path, name))
  names.add(name)
}

/** Each pair of host address and port goes to one container only. */
export function validateHostPorts(errors: FieldError[], containers: readonly Container[], path: string): void {
  const taken = new Set<string>()
  for (const [i, container] of containers.entries()) {
    for (const [j, { protocol = '', hostIP = '', hostPort = 0 }] of (container.ports ?? []).entries()) {
      if (hostPort === 0) continue
      const address = `${protocol}/${hostIP}/${hostPort}`
      if (taken.has(address)) errors.push(duplicate(`${path}[${i}].ports[${j}].hostPort`, address))
      taken.add(address)
    }
  }
}

/** On the host's network a container cannot listen on one port and be reached at another. */
export function validateHostNetworkPorts(
  errors: FieldError[],
  spec: PodSpec,
  { path, isPod }: { readonly path: string; readonly isPod: boolean },
): void {
  if (spec.hostNetwork !== true) return
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [j, { hostPort = 0, containerPort }] of (container.ports ?? []).entries()) {
      if (hostPort === containerPort || (!isPod && hostPort === 0)) continue
      const place = `${path}.containers[${i}].ports[${j}].hostPort`
      errors.push(invalidValue(place, hostPort, 'must match `containerPort` when `hostNetwork` is true'))
    }
  }
}
