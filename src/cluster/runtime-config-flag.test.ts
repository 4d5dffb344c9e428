/** The flag --runtime-config: what it serves, and what it refuses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatApiVersion } from '#api/kind.ts'
import { ALL_KINDS, KINDS } from '#api/kinds.ts'
import { DEFAULT_FEATURE_GATES, resolveFeatureGates } from '#base/feature-gates.ts'
import { readRuntimeConfig } from './runtime-config-flag.ts'

const served = (...values: string[]): string[] =>
  readRuntimeConfig(values, DEFAULT_FEATURE_GATES).map((kind) => `${formatApiVersion(kind)}/${kind.resource}`)
const idsOf = (kinds: typeof KINDS): string[] => kinds.map((kind) => `${formatApiVersion(kind)}/${kind.resource}`)

test('without the flag the stable kinds are served, with api/all every one', () => {
  assert.deepEqual(served(), idsOf(KINDS))
  assert.deepEqual(served('api/all=true'), idsOf(ALL_KINDS))
  assert.deepEqual(served('api/alpha=true,api/beta=true').toSorted(), idsOf(ALL_KINDS).toSorted())
})

test('a version goes before a stage, a resource before its version', () => {
  const kinds = served('api/beta=true', 'resource.k8s.io/v1beta1=false,resource.k8s.io/v1beta1/resourceclaims')
  assert.ok(kinds.includes('resource.k8s.io/v1beta2/deviceclasses'))
  assert.ok(kinds.includes('resource.k8s.io/v1beta1/resourceclaims'))
  assert.equal(kinds.includes('resource.k8s.io/v1beta1/deviceclasses'), false)
})

test('what is on by default can be switched off, and served in another version alone', () => {
  const kinds = served('apps/v1/daemonsets=false,resource.k8s.io/v1=false,resource.k8s.io/v1beta2=true')
  assert.equal(kinds.includes('apps/v1/daemonsets'), false)
  assert.ok(kinds.includes('apps/v1/deployments'))
  assert.deepEqual(
    kinds.filter((id) => id.endsWith('/resourceslices')),
    ['resource.k8s.io/v1beta2/resourceslices'],
  )
})

test('a resource goes with its feature, whatever is said of its version', () => {
  const features = resolveFeatureGates(
    new Map(Object.entries({ ClusterTrustBundle: false, ClusterTrustBundleProjection: false })),
  )
  const kinds = readRuntimeConfig(['certificates.k8s.io/v1beta1=true'], features)
  assert.equal(
    kinds.some(({ resource }) => resource === 'clustertrustbundles'),
    false,
  )
  assert.ok(kinds.some(({ resource, version }) => resource === 'podcertificaterequests' && version === 'v1beta1'))
})

test('groups and versions that Kubernetes knows and serves no more are no mistake', () => {
  assert.deepEqual(served('apps/v1beta1=true,api/legacy=false'), idsOf(KINDS))
})

const REFUSED: readonly [string, string][] = [
  ['api/all=maybe', 'invalid value api/all=maybe'],
  ['api/beta', 'invalid value api/beta='],
  [
    'api/all=false',
    '[--runtime-config=api/all=false conflicts with --enable-priority-and-fairness=true, invalid runtime-config with only api/all=false]',
  ],
  ['foo/v1=true,bar/v2=false', 'unknown api groups bar/v2,foo/v1'],
  ['api/nope=true', 'unknown api groups api/nope'],
  ['apps/v7=true', 'group version apps/v7 that has not been registered'],
  ['nope', 'runtime-config invalid key nope'],
  ['a/b/c/d=true', 'runtime-config invalid key a/b/c/d'],
  ['apps/v1=maybe', 'invalid value of apps/v1: maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax'],
  [
    'apps/v1/Foos=true',
    'invalid key apps/v1/Foos: group/version/resource and resource is always lowercase plural, not "Foos"',
  ],
]
for (const [value, message] of REFUSED)
  test(`--runtime-config=${value} is refused as upstream refuses it`, () => {
    assert.throws(() => served(value), { message })
  })

test('flow control may go when requests do not wait in queues', () => {
  const config = ['flowcontrol.apiserver.k8s.io/v1=false']
  assert.throws(
    () => readRuntimeConfig(config, DEFAULT_FEATURE_GATES),
    /--runtime-config=flowcontrol.apiserver.k8s.io\/v1=false conflicts with --enable-priority-and-fairness=true$/,
  )
  const kinds = idsOf([...readRuntimeConfig(config, DEFAULT_FEATURE_GATES, false)])
  assert.equal(kinds.includes('flowcontrol.apiserver.k8s.io/v1/flowschemas'), false)
})
