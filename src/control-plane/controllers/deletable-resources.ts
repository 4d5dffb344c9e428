/** Finds, through discovery, every resource of the server that can be listed, watched and deleted; kinds of CRDs too. */
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client } from '#client/client.ts'

type ApiResource = {
  readonly name: string
  readonly namespaced: boolean
  readonly kind: string
  readonly verbs: readonly string[]
}
type ApiGroup = { readonly name: string; readonly preferredVersion: { readonly version: string } }

/** What could be discovered; groups of extension servers that do not answer are named. */
export type DiscoveredResources = {
  readonly resources: readonly ResourceRef[]
  readonly failedGroups: readonly string[]
}

export async function discoverResources(
  client: Client,
  verbs: readonly string[],
  signal: AbortSignal,
): Promise<DiscoveredResources> {
  const { groups } = await client.getPath<{ groups: ApiGroup[] }>('/apis', signal)
  const versions = [
    { group: '', version: 'v1', path: '/api/v1' },
    ...groups.map(({ name, preferredVersion: { version } }) => ({
      group: name,
      version,
      path: `/apis/${name}/${version}`,
    })),
  ]
  const failedGroups: string[] = []
  const found = await Promise.all(
    versions.map(async ({ group, version, path }) => {
      try {
        const { resources } = await client.getPath<{ resources: ApiResource[] }>(path, signal)
        return resources.filter((resource) => isUsable(resource, verbs)).map((r) => refOf(group, version, r))
      } catch (error) {
        if (signal.aborted) throw error
        failedGroups.push(`${group}/${version}: ${error instanceof Error ? error.message : String(error)}`)
        return []
      }
    }),
  )
  return { resources: found.flat(), failedGroups: failedGroups.toSorted() }
}

function isUsable({ name, verbs }: ApiResource, wanted: readonly string[]): boolean {
  return !name.includes('/') && wanted.every((verb) => verbs.includes(verb))
}

function refOf(group: string, version: string, { name, kind, namespaced }: ApiResource): ResourceRef {
  return { group, version, resource: name, kind, namespaced }
}
