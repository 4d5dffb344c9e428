/** Which kinds a server serves: what is on by default, and what `--runtime-config` and feature gates change of it. */
import type { FeatureGate, FeatureGates } from '#base/feature-gates.ts'
import { typeDataOf } from '#machinery/schema/registry.ts'
import { formatApiVersion, type KindDefinition } from './kind.ts'
import { ALL_KINDS, KINDS } from './kinds.ts'

/** A preference that cannot be met; the message is upstream's. */
export class RuntimeConfigError extends Error {}

/** Keys that stand for many versions, in the order in which they are applied. */
const MATCHERS: Readonly<Record<string, RegExp>> = {
  'api/all': /./,
  'api/ga': /^v\d+$/,
  'api/beta': /^v\d+beta\d+$/,
  'api/alpha': /^v\d+alpha\d+$/,
}

/** Resources that exist with their feature alone. */
const GATES: Readonly<Record<string, FeatureGate>> = {
  'certificates.k8s.io/clustertrustbundles': 'ClusterTrustBundle',
  'certificates.k8s.io/podcertificaterequests': 'PodCertificateRequest',
  'storagemigration.k8s.io/storageversionmigrations': 'StorageVersionMigrator',
}

/** The kinds that are served, in the order of discovery. Throws RuntimeConfigError. */
export function enabledKinds(config: ReadonlyMap<string, string>, features: FeatureGates): readonly KindDefinition[] {
  const preferences = readPreferences(config)
  const byVersion = versionPreferences(config, preferences)
  const resources = new Map(
    preferences
      .filter(({ resource }) => resource !== '')
      .map((one) => [`${one.apiVersion}/${one.resource}`, one.enabled]),
  )
  return ALL_KINDS.filter((kind) => {
    const apiVersion = formatApiVersion(kind)
    const gate = GATES[`${kind.group}/${kind.resource}`]
    if (gate !== undefined && !features.isEnabled(gate)) return false
    return resources.get(`${apiVersion}/${kind.resource}`) ?? byVersion.get(apiVersion) === true
  })
}

type Preference = { readonly apiVersion: string; readonly resource: string; readonly enabled: boolean }

function versionPreferences(
  config: ReadonlyMap<string, string>,
  preferences: readonly Preference[],
): Map<string, boolean> {
  const enabled = new Map(ALL_KINDS.map((kind) => [formatApiVersion(kind), false]))
  for (const kind of KINDS) enabled.set(formatApiVersion(kind), true)
  for (const [key, pattern] of Object.entries(MATCHERS)) {
    const value = config.get(key)
    if (value === undefined) continue
    if (value !== 'true' && value !== 'false') throw new RuntimeConfigError(`invalid value ${key}=${value}`)
    for (const kind of ALL_KINDS) if (pattern.test(kind.version)) enabled.set(formatApiVersion(kind), value === 'true')
  }
  for (const { apiVersion, resource, enabled: isOn } of preferences) if (resource === '') enabled.set(apiVersion, isOn)
  return enabled
}

/** What is said of single versions and resources. The core group is named `/v1`. */
function readPreferences(config: ReadonlyMap<string, string>): Preference[] {
  const registered = registeredVersions()
  const keys = [...config.keys()].filter((key) => MATCHERS[key] === undefined)
  const malformed = keys.find((key) => !/^[^/]*(\/[^/]*){1,2}$/.test(key))
  if (malformed !== undefined) throw new RuntimeConfigError(`runtime-config invalid key ${malformed}`)
  const unknown = keys.map(versionOf).filter((version) => !registered.has(groupOf(version)))
  if (unknown.length > 0)
    throw new RuntimeConfigError(`unknown api groups ${[...new Set(unknown)].toSorted().join(',')}`)
  return keys.map((key) => readPreference(key, config.get(key)!, registered))
}

const versionOf = (key: string): string => key.split('/').slice(0, 2).join('/')
const groupOf = (groupVersion: string): string => groupVersion.slice(0, groupVersion.indexOf('/'))

function readPreference(key: string, value: string, registered: ReadonlyMap<string, ReadonlySet<string>>): Preference {
  const [group = '', version = '', resource = ''] = key.split('/')
  const apiVersion = formatApiVersion({ group, version })
  if (!registered.get(group)!.has(version))
    throw new RuntimeConfigError(`group version ${apiVersion} that has not been registered`)
  const enabled = readBoolean(key, value)
  if (resource !== resource.toLowerCase())
    throw new RuntimeConfigError(
      `invalid key ${key}: group/version/resource and resource is always lowercase plural, not ${JSON.stringify(resource)}`,
    )
  return { apiVersion, resource, enabled }
}

/** A key without a value enables. */
function readBoolean(key: string, value: string): boolean {
  if (value === '' || /^(1|t|T|true|TRUE|True)$/.test(value)) return true
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false
  const reason = `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`
  throw new RuntimeConfigError(`invalid value of ${key}: ${value}, err: ${reason}`)
}

/** Group -> versions that Kubernetes knows, served or not: DeleteOptions are registered in each. */
function registeredVersions(): Map<string, Set<string>> {
  const { kinds = [] } = typeDataOf('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions').data
  const groups = Map.groupBy(kinds, (kind) => kind.split('/')[0]!)
  return new Map([...groups].map(([group, its]) => [group, new Set(its.map((kind) => kind.split('/')[1]!))]))
}
