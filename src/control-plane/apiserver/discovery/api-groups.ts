/** Sorts the served kinds into groups and versions, in the order in which Kubernetes prefers them. */
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'

/** Upstream's order of the built-in groups; the others follow by name. */
const GROUP_ORDER = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'storagemigration.k8s.io',
]

export type ApiVersion = {
  readonly group: string
  readonly version: string
  /** `apps/v1`, or `v1`. */
  readonly groupVersion: string
  /** By the name of the resource. */
  readonly kinds: readonly KindDefinition[]
}
export type ApiGroup = {
  readonly name: string
  /** The preferred one first. */
  readonly versions: readonly ApiVersion[]
}

export function groupKinds(kinds: readonly KindDefinition[]): ApiGroup[] {
  const groups = Map.groupBy(kinds, (kind) => kind.group)
  return [...groups.keys()].toSorted(byGroupOrder).map((name) => {
    const versions = Map.groupBy(groups.get(name)!, (kind) => kind.version)
    return {
      name,
      versions: [...versions.keys()].toSorted(compareVersions).map((version) => ({
        group: name,
        version,
        groupVersion: formatApiVersion({ group: name, version }),
        kinds: versions.get(version)!.toSorted(byResource),
      })),
    }
  })
}

const byResource = (one: KindDefinition, other: KindDefinition): number => (one.resource < other.resource ? -1 : 1)

function byGroupOrder(one: string, other: string): number {
  const [left, right] = [GROUP_ORDER.indexOf(one), GROUP_ORDER.indexOf(other)]
  if (left >= 0 && right >= 0) return left - right
  if (left >= 0 || right >= 0) return left >= 0 ? -1 : 1
  return one < other ? -1 : 1
}

/** Kubernetes' order of versions: stable before beta before alpha, newer before older, all others last by name. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [versionRank(one), versionRank(other)]
  for (let position = 0; position < 3; position++)
    if (left[position] !== right[position]) return right[position]! - left[position]!
  return one < other ? -1 : Number(one > other)
}

function versionRank(version: string): [stability: number, major: number, minor: number] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (match === null) return [0, 0, 0]
  const [, major, stage, minor] = match
  return [stage === undefined ? 3 : stage === 'beta' ? 2 : 1, Number(major), Number(minor ?? 0)]
}
