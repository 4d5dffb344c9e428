/** The environment variables that tell a container where services are (`DB_SERVICE_HOST`, and Docker's old link names). */
import type { Service } from '#api/core/v1.gen.ts'

/** `visible` are the services of the pod's namespace and, always, `default/kubernetes`. */
export function serviceEnvironment(visible: readonly Service[]): [string, string][] {
  return visible.flatMap((service) => {
    const ip = service.spec?.clusterIP
    const ports = service.spec?.ports ?? []
    const [first] = ports
    if (!ip || ip === 'None' || !first) return []
    const prefix = variableName(service.metadata.name)
    const variables: [string, string][] = [
      [`${prefix}_SERVICE_HOST`, ip],
      [`${prefix}_SERVICE_PORT`, String(first.port)],
    ]
    for (const { name, port } of ports)
      if (name) variables.push([`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port)])
    return [...variables, ...linkVariables(prefix, ip, ports)]
  })
}

function linkVariables(
  prefix: string,
  ip: string,
  ports: readonly { readonly port: number; readonly protocol?: string }[],
): [string, string][] {
  return ports.flatMap(({ port, protocol = 'TCP' }, index): [string, string][] => {
    const url = `${protocol.toLowerCase()}://${ip.includes(':') ? `[${ip}]` : ip}:${port}`
    const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
    return [
      ...(index === 0 ? ([[`${prefix}_PORT`, url]] as [string, string][]) : []),
      [link, url],
      [`${link}_PROTO`, protocol.toLowerCase()],
      [`${link}_PORT`, String(port)],
      [`${link}_ADDR`, ip],
    ]
  })
}

const variableName = (name: string): string => name.toUpperCase().replaceAll('-', '_')

/** Services that the pod's containers are told of. */
export function visibleServices(
  services: readonly Service[],
  namespace: string,
  enableServiceLinks: boolean,
): Service[] {
  const visible = new Map<string, Service>()
  for (const service of services) {
    const { name, namespace: home } = service.metadata
    const isMaster = home === 'default' && name === 'kubernetes'
    if (isMaster && !visible.has(name)) visible.set(name, service)
    else if (home === namespace && enableServiceLinks) visible.set(name, service)
  }
  return [...visible.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}
