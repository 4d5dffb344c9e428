/** Checks the ports of a Service: names, numbers, protocols, and that none is there twice. */
import type { Service, ServicePort } from '#api/core/v1.gen.ts'
import { checkDnsLabel, checkPort, checkQualifiedName, checkRequiredEnum, checkText } from '#api/validation.ts'
import { duplicate, type FieldError, forbiddenField, required } from '#machinery/field-error.ts'
import { isValidPortName } from '#machinery/validation/names.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

export function validateServicePorts(errors: FieldError[], { spec }: Service): void {
  const ports = spec.ports ?? []
  const names = new Set<string>()
  for (const [i, port] of ports.entries())
    validatePort(errors, port, { path: `spec.ports[${i}]`, names, needsName: ports.length > 1 })
  if (spec.type === 'ClusterIP')
    for (const [i, { nodePort = 0 }] of ports.entries())
      if (nodePort !== 0)
        errors.push(forbiddenField(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'"))
  validateUniqueness(errors, ports)
}

type PortPlace = { readonly path: string; readonly names: Set<string>; readonly needsName: boolean }

function validatePort(errors: FieldError[], port: ServicePort, { path, names, needsName }: PortPlace): void {
  const { name = '', targetPort = 0 } = port
  if (name === '') {
    if (needsName) errors.push(required(`${path}.name`))
  } else {
    checkDnsLabel(errors, `${path}.name`, name)
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
  }
  checkPort(errors, `${path}.port`, port.port ?? 0)
  checkRequiredEnum(errors, `${path}.protocol`, port.protocol, PROTOCOLS)
  if (typeof targetPort === 'number') checkPort(errors, `${path}.targetPort`, targetPort)
  else checkText(errors, `${path}.targetPort`, targetPort, isValidPortName)
  if (port.appProtocol !== undefined) checkQualifiedName(errors, `${path}.appProtocol`, port.appProtocol)
}

function validateUniqueness(errors: FieldError[], ports: readonly ServicePort[]): void {
  const nodePorts = new Set<string>()
  for (const [i, { protocol, nodePort = 0 }] of ports.entries()) {
    const key = `${protocol}/${nodePort}`
    if (nodePort !== 0 && nodePorts.has(key)) errors.push(duplicate(`spec.ports[${i}].nodePort`, nodePort))
    nodePorts.add(key)
  }
  const numbers = new Set<string>()
  for (const [i, { protocol = '', port = 0 }] of ports.entries()) {
    const key = `${protocol}/${port}`
    if (numbers.has(key)) errors.push(duplicate(`spec.ports[${i}]`, internalPort(protocol, port)))
    numbers.add(key)
  }
}

/** How upstream prints the part of a port that has to be unique: its internal type, zero values included. */
function internalPort(protocol: string, port: number): unknown {
  return { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 }
}
