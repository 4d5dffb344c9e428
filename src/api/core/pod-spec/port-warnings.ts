/** Warns of ports that several containers define. */
import type { ContainerPort, PodSpec } from '#api/core/v1.gen.ts'
import { visitContainers } from './containers-of.ts'

type PlacedPort = { readonly port: ContainerPort; readonly path: string }

export function portWarnings(spec: PodSpec, path: string): string[] {
  const ports: PlacedPort[] = []
  visitContainers(spec, path, (container, place) => {
    container.ports?.forEach((port, i) => ports.push({ port, path: `${place}.ports[${i}]` }))
  })
  return [...numberWarnings(ports), ...nameWarnings(ports)]
}

function numberWarnings(ports: readonly PlacedPort[]): string[] {
  const warnings: string[] = []
  const byNumber = new Map<string, PlacedPort[]>()
  for (const placed of ports) {
    const { port, path } = placed
    if (port.hostIP && !port.hostPort) warnings.push(`${path}: hostIP set without hostPort: ${formatPort(port)}`)
    const key = `${port.containerPort}/${port.protocol}`
    const others = byNumber.get(key) ?? []
    for (const other of others) {
      const relation = relationOf(port, other.port)
      if (relation !== '') warnings.push(`${path}: ${relation} port definition with ${other.path}`)
    }
    byNumber.set(key, [...others, placed])
  }
  return warnings
}

/** As Go prints the struct. */
function formatPort({ name = '', hostPort = 0, containerPort, protocol = '', hostIP = '' }: ContainerPort): string {
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`
}

function relationOf(port: ContainerPort, other: ContainerPort): string {
  const [hostIp, otherIp] = [port.hostIP ?? '', other.hostIP ?? '']
  const [hostPort, otherPort] = [port.hostPort ?? 0, other.hostPort ?? 0]
  if (hostIp === otherIp && hostPort === otherPort) return 'duplicate'
  if (hostPort === 0 || otherPort === 0) return 'overlapping'
  const isOnAllAddresses = (hostIp === '') !== (otherIp === '')
  return hostPort === otherPort && isOnAllAddresses ? 'dangerously ambiguous' : ''
}

function nameWarnings(ports: readonly PlacedPort[]): string[] {
  const seen = new Map<string, string>()
  const warnings: string[] = []
  for (const { port, path } of ports) {
    if (!port.name) continue
    const first = seen.get(port.name)
    if (first === undefined) seen.set(port.name, path)
    else {
      const text = `duplicate port name ${JSON.stringify(port.name)} with ${first}, services and probes that select ports by name will use ${first}`
      warnings.push(`${path}: ${text}`)
    }
  }
  return warnings
}
