/** Decides the routes to the pods of other nodes: each node's pod range lies behind that node's address (host-gw). */
import type { Node } from '#api/core/v1.gen.ts'

export type Route = { readonly cidr: string; readonly via: string }

/** Routes that this node needs, sorted by range. Nodes without a range or an address yet are left out. */
export function planRoutes(nodes: readonly Node[], ownName: string): Route[] {
  return nodes
    .filter((node) => node.metadata.name !== ownName)
    .flatMap((node) => {
      const via = internalIp(node)
      return node.spec.podCIDR === undefined || via === null ? [] : [{ cidr: node.spec.podCIDR, via }]
    })
    .toSorted((a, b) => (a.cidr < b.cidr ? -1 : 1))
}

/** IPv4 address other machines reach the node at. */
export function internalIp(node: Node): string | null {
  return (
    node.status?.addresses?.find(({ type, address }) => type === 'InternalIP' && !address.includes(':'))?.address ??
    null
  )
}

export type RouteChange = { readonly replace: readonly Route[]; readonly remove: readonly Route[] }

/** What turns `current` (the routes this program set before) into `wanted`. */
export function diffRoutes(current: readonly Route[], wanted: readonly Route[]): RouteChange {
  const keyOf = ({ cidr, via }: Route): string => `${cidr} ${via}`
  const have = new Set(current.map(keyOf))
  const wantedCidrs = new Set(wanted.map(({ cidr }) => cidr))
  return {
    replace: wanted.filter((route) => !have.has(keyOf(route))),
    remove: current.filter(({ cidr }) => !wantedCidrs.has(cidr)),
  }
}

/** Lines for `ip -batch -`. */
export function renderRouteBatch(change: RouteChange): string {
  const removals = change.remove.map(({ cidr, via }) => `route del ${cidr} via ${via}\n`)
  const additions = change.replace.map(({ cidr, via }) => `route replace ${cidr} via ${via}\n`)
  return [...removals, ...additions].join('')
}
