/** Random requests to an API server: every kind, verb, form and place, sensible and not. */
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { SeededRandom } from '#base/random.ts'
import { Dice } from './dice.ts'
import { KIND_OBJECTS, type Body } from './objects.ts'
import { encodeOddly, oddObject, type Sent } from './request-body.ts'

export type FuzzRequest = {
  readonly index: number
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
  readonly protocol: 'h1' | 'h2'
  /** A watch ends by its own timeout. */
  readonly isWatch: boolean
}

export const NAMESPACES = ['default', 'fuzz-1', 'fuzz-2']
const NAMES = ['a', 'b', 'c']
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
const PLACES = [
  '/',
  '/api',
  '/apis',
  '/version',
  '/openapi/v2',
  '/openapi/v3',
  '/metrics',
  '/readyz?verbose',
  '/livez',
  '/healthz/etcd',
  '/logs',
  '/api/v1',
  '/apis/apps/v1',
  '/api/v1/nodes/x/proxy/',
  '/api/v1/namespaces/default/pods/a/log',
  '/api/v1/namespaces/default/pods/a/exec?command=x',
  '/api/v1/namespaces/default/services/a:http/proxy/x',
  '/apis/apps/v2/deployments',
  '/api/v1/watch/pods?timeoutSeconds=1',
  '/debug/pprof/',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/api/v1/componentstatuses',
  '/statusz',
  '/flagz',
]
const ODD_SEGMENTS = [
  '..',
  '.',
  '%2e%2e',
  '%2f',
  '%00',
  '%ff',
  '%',
  'a%2Fb',
  '%c3%a9',
  'a'.repeat(300),
  '',
  '//',
  ';x',
  '?',
  '%25',
  ':',
  '@',
  "'",
  '*',
]
const SELECTORS = [
  'a=b',
  'a',
  '!a',
  'a in (b,c)',
  'a notin ()',
  'a==b,c!=d',
  'a>1',
  'a<x',
  '=',
  'a=b=c',
  ',',
  '((',
  'a'.repeat(70),
  'metadata.name=a',
  'metadata.namespace!=default',
  'spec.nodeName=',
  'no.such=1',
  'metadata.name==\\',
  'a in (',
  'é=ü',
  'metadata.name=a,metadata.name=b',
  'x/y/z',
  'a=b,',
  'status.phase=Running,spec.x=1',
]
const QUERIES: readonly (readonly [string, readonly string[]])[] = [
  ['labelSelector', SELECTORS],
  ['fieldSelector', SELECTORS],
  ['limit', ['0', '1', '-1', '500', 'x', '99999999999999999999', '1.5', '']],
  ['continue', ['x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0', '%00', 'e30']],
  ['resourceVersion', ['0', '1', '-1', 'x', '999999999999', '99999999999999999999999', '']],
  ['resourceVersionMatch', ['Exact', 'NotOlderThan', 'x', '']],
  ['dryRun', ['All', 'x', '', 'all', 'All&dryRun=All']],
  ['fieldManager', ['m1', 'a'.repeat(129), '', '\u0001', 'é']],
  ['fieldValidation', ['Strict', 'Warn', 'Ignore', 'x', '']],
  ['force', ['true', 'false', 'x', '1']],
  ['gracePeriodSeconds', ['0', '1', '-1', 'x', '9999999999999999999999']],
  ['propagationPolicy', ['Orphan', 'Background', 'Foreground', 'x']],
  ['orphanDependents', ['true', 'x']],
  ['pretty', ['true', '1', 'x']],
  ['timeout', ['1s', '0', '-1s', 'x', '10h', '1ns']],
  ['timeoutSeconds', ['0', 'x', '-1']],
  ['allowWatchBookmarks', ['true', 'x']],
  ['sendInitialEvents', ['true', 'false', 'x']],
  ['includeObject', ['None', 'Object', 'x']],
  ['x', ['y']],
]
const ACCEPTS = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=x',
  'text/html',
  '*/*',
  '',
  'application/json;q=0, */*',
  ';;;',
  'application/cbor',
  'application/json;stream=watch',
]
const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['impersonate-user', ['u', 'system:admin', '', 'é', 'system:serviceaccount:default:x']],
  ['impersonate-group', ['g', 'system:masters']],
  ['impersonate-uid', ['x']],
  ['impersonate-extra-a%2fb', ['c']],
  ['user-agent', ['', 'a'.repeat(2000), 'x/1 (y)']],
  ['authorization', ['Bearer x', 'Basic eDp5', 'Bearer eyJhbGciOiJub25lIn0.e30.', 'x']],
  ['if-none-match', ['"x"', '*']],
  ['accept-encoding', ['gzip', 'br', 'gzip;q=0', '*']],
  ['content-encoding', ['gzip', 'x']],
  ['x-forwarded-for', ['1.2.3.4']],
  ['audit-id', ['x', 'a'.repeat(100)]],
]
/** Paths of kubelets and pods lead out of the server: they wait for what is not there. */
const LEADING_OUT = new Set(['exec', 'attach', 'portforward', 'proxy', 'log'])

export function makeRequest(seed: number, index: number): FuzzRequest {
  const dice = new Dice(new SeededRandom(Math.imul(seed + 7, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)))
  const protocol = dice.chance(0.3) ? 'h1' : 'h2'
  if (dice.chance(0.05)) return { ...readOf(dice.pick(PLACES), dice), index, protocol }
  const { kind, bodies } = dice.pick(KIND_OBJECTS)
  const name = dice.pick(NAMES)
  const namespace = dice.pick(NAMESPACES)
  const body = named(dice.pick(bodies), name, dice)
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${formatApiVersion(kind)}`
  const collection = `${root}${kind.namespaced ? `/namespaces/${namespace}` : ''}/${kind.resource}`
  const place: Place = {
    kind,
    body,
    collection,
    object: `${collection}/${dice.chance(0.03) ? encodeURI(dice.pick(ODD_SEGMENTS)) : nameOf(body, name)}`,
  }
  const way = dice.weighted({
    create: 6,
    update: 4,
    patch: 6,
    sub: 3,
    get: 2,
    list: 2,
    watch: 1,
    delete: 3,
    collection: 0.15,
    odd: 1,
  })
  return { ...WAYS[way](place, dice), index, protocol }
}

type Place = {
  readonly kind: KindDefinition
  readonly body: Body
  readonly collection: string
  readonly object: string
}
type Made = Omit<FuzzRequest, 'index' | 'protocol'>

const WAYS: Readonly<
  Record<
    'create' | 'update' | 'patch' | 'sub' | 'get' | 'list' | 'watch' | 'delete' | 'collection' | 'odd',
    (place: Place, dice: Dice) => Made
  >
> = {
  create: (place, dice) => writeOf('POST', place.collection, place, dice),
  update: (place, dice) => writeOf('PUT', place.object, place, dice),
  patch: (place, dice) => patchOf(place.object, place, dice),
  sub(place, dice) {
    const names = place.kind.subresources.map(({ name }) => name).filter((name) => !LEADING_OUT.has(name))
    const path = `${place.object}/${dice.pick([...names, 'status', 'status', 'scale', 'x'])}`
    const method = dice.pick(['GET', 'PUT', 'PATCH', 'POST', 'DELETE'])
    if (method === 'PATCH') return patchOf(path, place, dice)
    return method === 'GET' ? readOf(path, dice) : writeOf(method, path, place, dice)
  },
  get: ({ object }, dice) => readOf(object, dice),
  list: ({ collection }, dice) => readOf(collection, dice),
  watch({ collection }, dice) {
    const made = readOf(collection, dice)
    const [path, query] = made.path.split('?')
    // The first of several values counts.
    const own = `timeoutSeconds=1&watch=${dice.pick(['true', '1', 'x'])}`
    return { ...made, path: `${path}?${own}${query === undefined ? '' : `&${query}`}`, isWatch: true }
  },
  delete({ object }, dice) {
    const options = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: dice.pick([0, 1, 'x', null]),
      propagationPolicy: dice.pick(['Orphan', 'Background', 'Foreground', undefined]),
    }
    const body = dice.chance(0.6) ? null : Buffer.from(JSON.stringify(options))
    return {
      method: 'DELETE',
      path: withQuery(object, dice, 0.2),
      headers: headersOf(dice, 'application/json'),
      body,
      isWatch: false,
    }
  },
  collection: ({ collection }, dice) => ({
    method: 'DELETE',
    path: withQuery(collection, dice, 0.8),
    headers: headersOf(dice, null),
    body: null,
    isWatch: false,
  }),
  odd({ object }, dice) {
    const segments = object.split('/')
    segments[1 + dice.below(segments.length - 1)] = encodeURI(dice.pick(ODD_SEGMENTS))
    const method = dice.pick(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'TRACE', 'PROPFIND', 'DELETE'])
    return {
      method,
      path: withQuery(segments.join('/'), dice, 0.3),
      headers: headersOf(dice, 'application/json'),
      body: method === 'POST' ? Buffer.from('{}') : null,
      isWatch: false,
    }
  },
}

function nameOf(body: Body, name: string): string {
  const own = (body['metadata'] as Body | undefined)?.['name']
  return typeof own === 'string' && own !== '' ? encodeURIComponent(own) : name
}

/** The same few names all the time, so that writes meet each other. */
function named(body: Body, name: string, dice: Dice): Body {
  const copy = JSON.parse(JSON.stringify(body).replaceAll('@NAME@', name).replaceAll('@TOKEN@', `t${name}`)) as Body
  const metadata = copy['metadata'] as Body
  if (metadata['generateName'] !== undefined) delete metadata['generateName']
  metadata['name'] ??= name
  if (dice.chance(0.05)) metadata['resourceVersion'] = dice.pick(['1', '0', 'x', '9999999'])
  if (dice.chance(0.03))
    metadata['managedFields'] = dice.pick<unknown>([
      [],
      [{}],
      [null],
      'x',
      [
        {
          manager: 'm',
          operation: 'Apply',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:x': { 'k:{': {} } },
        },
      ],
      [{ manager: 'm', operation: 'Update', apiVersion: 'x/y', fieldsType: 'FieldsV1', fieldsV1: { 'v:1': {} } }],
    ])
  return copy
}

function readOf(path: string, dice: Dice): Made {
  const isWatch = path.includes('/watch/')
  return { method: 'GET', path: withQuery(path, dice, 0.5), headers: headersOf(dice, null), body: null, isWatch }
}

function writeOf(method: string, path: string, { kind, body }: Place, dice: Dice): Made {
  const { bytes, type }: Sent = encodeOddly(kind, oddObject(kind, body, dice), dice)
  return { method, path: withQuery(path, dice, 0.3), headers: headersOf(dice, type), body: bytes, isWatch: false }
}

function patchOf(path: string, { kind, body }: Place, dice: Dice): Made {
  const type = dice.pick(PATCHES)
  const odd = oddObject(kind, body, dice)
  const patch = type === PATCHES[0] ? jsonPatch(odd, dice) : type === PATCHES[2] ? withDirectives(odd, dice) : odd
  const { bytes } = dice.chance(0.1)
    ? encodeOddly(kind, patch, dice)
    : { bytes: Buffer.from(JSON.stringify(patch) ?? '') }
  const query =
    type === PATCHES[3] && dice.chance(0.9)
      ? `?fieldManager=${dice.pick(['m1', 'm2'])}&force=${dice.pick(['true', 'false'])}`
      : ''
  const sent = dice.chance(0.02) ? 'application/json' : type
  return {
    method: 'PATCH',
    path: query === '' ? withQuery(path, dice, 0.3) : `${path}${query}`,
    headers: headersOf(dice, sent),
    body: bytes,
    isWatch: false,
  }
}

function jsonPatch(odd: Body, dice: Dice): unknown {
  const paths = [
    '',
    '/',
    '/metadata',
    '/metadata/labels',
    '/metadata/labels/a',
    '/spec',
    '/spec/-',
    '/spec/containers/0',
    '/spec/containers/-',
    '/spec/containers/99',
    '/data/a',
    '/metadata/managedFields',
    '/metadata/finalizers/0',
    '/a~1b',
    '/~2',
    'x',
    '/status',
    '/kind',
    '/__proto__/x',
    ...Object.keys(odd).map((key) => `/${key}`),
  ]
  const operation = (): unknown => ({
    op: dice.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'x', null]),
    path: dice.pick(paths),
    from: dice.pick(paths),
    value: dice.pick<unknown>([odd['spec'], {}, [], 'x', 1, null, { a: 'b' }]),
  })
  return Array.from({ length: 1 + dice.below(3) }, operation)
}

function withDirectives(odd: Body, dice: Dice): Body {
  const targets: Body[] = []
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return
    if (!Array.isArray(value)) targets.push(value as Body)
    for (const item of Object.values(value)) visit(item)
  }
  visit(odd)
  const target = dice.pick(targets)
  if (target !== undefined && dice.chance(0.5)) {
    const key = dice.pick(Object.keys(target)) ?? 'x'
    target[dice.pick(['$patch', '$retainKeys', `$setElementOrder/${key}`, `$deleteFromPrimitiveList/${key}`, '$x'])] =
      dice.pick<unknown>(['delete', 'replace', 'merge', 'x', [key], [{ name: 'c' }], [null], {}, null, 1])
  }
  return odd
}

function withQuery(path: string, dice: Dice, share: number): string {
  if (!dice.chance(share)) return path
  const parts: string[] = []
  for (let i = 1 + dice.below(3); i > 0; i--) {
    const [name, values] = dice.pick(QUERIES)
    const value = dice.pick(values)
    parts.push(`${name}=${dice.chance(0.9) ? encodeURIComponent(value) : encodeURI(value)}`)
    if (dice.chance(0.1)) parts.push(parts.at(-1)!)
  }
  return `${path}${path.includes('?') ? '&' : '?'}${parts.join('&')}`
}

function headersOf(dice: Dice, type: string | null): Record<string, string> {
  const headers: Record<string, string> = { accept: dice.chance(0.8) ? 'application/json' : dice.pick(ACCEPTS) }
  if (type !== null) headers['content-type'] = type
  if (dice.chance(0.06)) {
    const [name, values] = dice.pick(HEADERS)
    headers[name] = encodeURI(dice.pick(values))
  }
  return headers
}
