/** Which Services hold node ports that they cannot have: the same as another, or outside the range. Pure. */
import type { Service } from '#api/core/v1.gen.ts'
import type { NodePortRange } from '../resource-backend.ts'

export type PortProblem = { readonly about: Service; readonly reason: string; readonly message: string }

export function portProblems(services: readonly Service[], { from, to }: NodePortRange): PortProblem[] {
  const taken = new Set<number>()
  return services.flatMap((about) =>
    nodePortsOf(about).flatMap((port): PortProblem[] => {
      if (port < from || port > to) {
        const message = `Port ${port} is not within the port range ${from}-${to}; please recreate service`
        return [{ about, reason: 'PortOutOfRange', message }]
      }
      if (taken.has(port)) {
        const message = `Port ${port} was assigned to multiple services; please recreate service`
        return [{ about, reason: 'PortAlreadyAllocated', message }]
      }
      taken.add(port)
      return []
    }),
  )
}

/** A port of TCP and one of UDP may be the same within a Service. */
function nodePortsOf({ spec }: Service): number[] {
  const protocols = new Map<number, Set<string>>()
  const ports: number[] = []
  const add = (port: number, protocol: string): void => {
    const known = protocols.get(port)
    if (known === undefined || known.has(protocol)) ports.push(port)
    if (known === undefined) protocols.set(port, new Set([protocol]))
    else known.add(protocol)
  }
  for (const { nodePort, protocol = 'TCP' } of spec.ports ?? []) if (nodePort) add(nodePort, protocol)
  if (spec.healthCheckNodePort) add(spec.healthCheckNodePort, 'TCP')
  return ports
}
