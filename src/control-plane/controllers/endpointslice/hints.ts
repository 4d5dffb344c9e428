/** Marks endpoints for the zone (or the node) that should prefer them, as the Service's traffic distribution asks. */
import type { Endpoint } from '#api/discovery/v1.gen.ts'

const CLOSE: ReadonlySet<string> = new Set(['PreferClose', 'PreferSameZone', 'PreferSameNode'])

/** Changes the lists of the entries, which the plan made for itself. Only ready endpoints are given hints. */
export function withHints(distribution: string | undefined, entries: readonly { endpoints: Endpoint[] }[]): void {
  if (distribution === undefined || !CLOSE.has(distribution)) return
  for (const entry of entries) entry.endpoints = entry.endpoints.map((endpoint) => hinted(endpoint, distribution))
}

function hinted(endpoint: Endpoint, distribution: string): Endpoint {
  if (endpoint.conditions?.ready !== true) return endpoint
  const { zone, nodeName } = endpoint
  const forNodes = distribution === 'PreferSameNode' && nodeName !== undefined ? [{ name: nodeName }] : undefined
  if (zone === undefined && forNodes === undefined) return endpoint
  const hints = {
    ...(zone === undefined ? {} : { forZones: [{ name: zone }] }),
    ...(forNodes === undefined ? {} : { forNodes }),
  }
  return { ...endpoint, hints }
}
