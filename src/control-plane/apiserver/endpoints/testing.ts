/** The resources of an API server on a memory store, asked without HTTP: for tests of verbs, subresources and admission. */
import { ALL_KINDS } from '#api/kinds.ts'
import { DEFAULT_FEATURE_GATES, type FeatureGates } from '#base/feature-gates.ts'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { createMemoryStore } from '#control-plane/store/memory/memory-store.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { AdmissionSettings } from '../admission/index.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { ComponentCheck } from '../health/component-checks.ts'
import { parseRequestInfo } from '../request-info.ts'
import type { ApiRequest, ApiResponse, UserInfo, WatchStream } from '../request.ts'
import { createResources } from './resource-backend.ts'
import type { ResourceDependencies } from '../resource-backend.ts'
import { DEFAULT_SETTINGS } from '../settings.ts'

export const ADMIN: UserInfo = { name: 'admin', uid: '', groups: ['system:masters', 'system:authenticated'], extra: {} }

export type TestAnswer = {
  readonly code: number
  /** Decoded; a Status when the request was refused. */
  readonly body: Record<string, unknown>
  readonly warnings: readonly string[]
}

export type TestRequestOptions = {
  readonly user?: UserInfo
  readonly contentType?: string
  readonly accept?: string
}

export class TestServer {
  readonly #backend
  constructor(
    authorizer: Authorizer = ALLOW_ALL,
    components: Readonly<Record<string, ComponentCheck>> = {},
    admission: AdmissionSettings = {},
    features: FeatureGates = DEFAULT_FEATURE_GATES,
  ) {
    const clock = new SystemClock({ keepsProcessAlive: true })
    const unused = (): never => {
      throw new Error('not part of this test')
    }
    this.#backend = createResources(
      {
        // Its timers end objects after an hour: no test waits for that.
        store: createMemoryStore({ clock: new SystemClock() }),
        kinds: ALL_KINDS,
        clock,
        features,
        random: new SeededRandom(1),
        log: NO_LOG,
        authorizer,
        tokens: { authenticate: unused, issueToken: unused } as unknown as ResourceDependencies['tokens'],
        client: null as unknown as ResourceDependencies['client'],
        components: new Map(Object.entries(components)),
        serviceClusterIpRange: '10.96.0.0/16',
        nodePortRange: { from: 30_000, to: 32_767 },
        admission,
        settings: DEFAULT_SETTINGS,
      },
      { freeze: true },
    )
  }

  /** With a namespace `n` and its default service account. */
  static async start(
    authorizer?: Authorizer,
    components?: Readonly<Record<string, ComponentCheck>>,
    admission?: AdmissionSettings,
    features?: FeatureGates,
  ): Promise<TestServer> {
    const server = new TestServer(authorizer, components, admission, features)
    await server.#backend.ready()
    await server.created('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } })
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    await server.created('/api/v1/namespaces/n/serviceaccounts', account)
    return server
  }

  close(): Promise<void> {
    return this.#backend.close()
  }

  async request(method: string, target: string, body?: unknown, options: TestRequestOptions = {}): Promise<TestAnswer> {
    const request = requestOf(method, target, body, options)
    try {
      const response = await this.#backend.handler(request)
      return { code: response.code, body: bodyOf(response), warnings: [...request.warnings] }
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      return { code: error.code, body: { ...error.toStatus() }, warnings: [...request.warnings] }
    }
  }

  /** The events of a watch; throws the refusal of one. */
  async watch(target: string): Promise<WatchStream> {
    const { body } = await this.#backend.handler(requestOf('GET', target, undefined, {}))
    if (body.form !== 'watch') throw new Error(`GET ${target}: ${body.form}`)
    return body.stream
  }

  /** The object as stored; throws unless the answer is 201. */
  async created(path: string, object: unknown): Promise<KubernetesObject> {
    const { code, body } = await this.request('POST', path, object)
    if (code !== 201) throw new Error(`POST ${path}: ${code} ${String(body['message'])}`)
    return body as unknown as KubernetesObject
  }
}

function requestOf(
  method: string,
  target: string,
  body: unknown,
  { user = ADMIN, contentType = 'application/json', accept }: TestRequestOptions,
): ApiRequest {
  const { pathname: path, searchParams: query } = new URL(target, 'https://server')
  return {
    method,
    path,
    query,
    headers: { 'user-agent': 'test/1', ...(accept === undefined ? {} : { accept }) },
    body: body === undefined ? { form: 'none' } : { form: 'bytes', bytes: Buffer.from(toText(body)), contentType },
    info: parseRequestInfo(method, path, query),
    user,
    signal: new AbortController().signal,
    warnings: new Set(),
    remoteAddress: '127.0.0.1',
  }
}

const toText = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body))

function bodyOf({ body }: ApiResponse): TestAnswer['body'] {
  if (body.form === 'object') return body.object as TestAnswer['body']
  if (body.form === 'stored') return JSON.parse(body.stored.bytes.toString()) as TestAnswer['body']
  if (body.form !== 'list') throw new Error(`No test reads an answer of form ${body.form}`)
  const { kind, apiVersion, metadata, items } = body
  return { kind, apiVersion, metadata, items: items.map((item) => item.object()) }
}

export const ALLOW_ALL: Authorizer = {
  authorize: async () => ({ verdict: 'allow', reason: '' }),
  rulesFor: async () => ({ rules: [], incomplete: false, errors: [] }),
}

export const DENY_ALL: Authorizer = { ...ALLOW_ALL, authorize: async () => ({ verdict: 'no-opinion', reason: '' }) }
