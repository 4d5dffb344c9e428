/** Puts an API server together: store, resources, chain, port, default objects and health. */
import { hostname } from 'node:os'
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import { DEFAULT_FEATURE_GATES, type FeatureGates } from '#base/feature-gates.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import { InProcessTransport, type InProcessServer } from '#client/in-process-transport.ts'
import { RestClient } from '#client/rest-client.ts'
import type { Store } from '#control-plane/store/store.ts'
import type { AdmissionSettings } from './admission/index.ts'
import { createAuditStage, createFailedAuthenticationAudit, type AuditOptions } from './audit/audit-stage.ts'
import type { AuditLevel } from './audit/policy.ts'
import { createAuthenticationStage } from './authentication/authentication-stage.ts'
import { createTokens } from './authentication/create-tokens.ts'
import { createImpersonationStage } from './authentication/impersonation-stage.ts'
import { loadKeySet, type KeySet, type ServiceAccountKeys } from './authentication/service-account-keys.ts'
import { createAuthorizationStage } from './authorization/authorization-stage.ts'
import { createAuthorizer } from './authorization/create-authorizer.ts'
import { ObjectFeeds } from './authorization/object-feeds.ts'
import { Bootstrap } from './bootstrap/bootstrap.ts'
import { discoveryHandler, discoveryPaths } from './discovery/discovery-handler.ts'
import { createFlowControl } from './flow-control/create-flow-control.ts'
import { DEFAULT_LIMITS, type InFlightLimits } from './flow-control/max-in-flight.ts'
import { createComponentChecks, type ComponentCheck } from './health/component-checks.ts'
import { followFlowSchemas } from './flow-control/dangling-flow-schemas.ts'
import { HealthChecks } from './health/health-checks.ts'
import { addServerChecks } from './health/server-checks.ts'
import { mediaTypesOf } from './http/negotiation.ts'
import { HttpServer } from './http/server.ts'
import type { ServingCertificate, ServingOptions } from './http/serving-options.ts'
import { createInProcessServer } from './in-process-server.ts'
import { MeasuredStore } from './metrics/measured-store.ts'
import { registerServerInfo } from './metrics/server-info.ts'
import { HealthMetrics } from './metrics/health-metrics.ts'
import { ApiServerMetrics } from './metrics/metrics.ts'
import { NeverReadyError } from './never-ready-error.ts'
import { openApiHandler } from './openapi/openapi-handler.ts'
import { protobufTypesOf } from './protobuf-types.ts'
import type { KubeletClientCredentials } from './proxy/kubelet-endpoint.ts'
import { createProxyHandler } from './proxy/proxy-handler.ts'
import { followInertKinds } from './registry/inert-conditions.ts'
import { createBodyStage } from './request-body-stage.ts'
import { createInProcessChain, createNetworkChain } from './request-chain.ts'
import { createTimeoutStage } from './request-timeout.ts'
import type { Handler, UserInfo } from './request.ts'
import type { NodePortRange, ResourceBackend, ResourceDependencies } from './resource-backend.ts'
import { createRoutes } from './routes.ts'
import { createServerPages, type ServerPages } from './server-pages.ts'
import { DEFAULT_SETTINGS, type ApiServerSettings } from './settings.ts'

export type ApiServerOptions = {
  readonly store: Store
  readonly kinds: readonly KindDefinition[]
  readonly createResources: (dependencies: ResourceDependencies) => ResourceBackend
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly serving: ServingOptions
  /** Where nodes and pods reach this server; loopback: the `kubernetes` Service gets no endpoints. */
  readonly advertiseAddress: string
  /** In the URLs that the server tells of itself, where that is not `advertiseAddress`. */
  readonly externalHost?: string
  /** PEM of the authority that signs client certificates; empty: none is trusted. */
  readonly clientCa: string
  readonly serviceAccountKeys: ServiceAccountKeys
  /** The first one issues tokens, and is their audience. */
  readonly serviceAccountIssuers?: readonly string[]
  readonly serviceClusterIpRange: string
  readonly nodePortRange: NodePortRange
  readonly kubeletClient: KubeletClientCredentials
  /** Checks of the scheduler and the controller-manager where they run in this process; else they are asked on their ports. */
  readonly componentChecks?: Readonly<Record<string, ComponentCheck>>
  /** Text of a static token file. */
  readonly tokenFile?: string
  readonly limits?: InFlightLimits
  /** Those of the version unless given. */
  readonly features?: FeatureGates
  readonly admission?: AdmissionSettings
  /** What /flagz shows: flags with their values as text. Missing: there is no such page. */
  readonly flags?: ReadonlyMap<string, string>
  /** Which requests are recorded, and where to. The backend stays open: it belongs to the caller. */
  readonly audit?: Pick<AuditOptions, 'policy' | 'backend'>
  /** What differs from DEFAULT_SETTINGS. */
  readonly settings?: Partial<ApiServerSettings>
}

export interface ApiServer {
  /** `https://ADDRESS:PORT`. */
  readonly url: string
  readonly port: number
  /** The way in for a component of this process, as this user. */
  inProcess(user: UserInfo): InProcessServer
  /** A client over that way. `component` becomes the default field manager. */
  client(user: UserInfo, component: string): Client
  /** Resolves when all checks of /readyz pass; rejects when the start failed, the server is closed or the signal aborts. */
  ready(signal?: AbortSignal): Promise<void>
  /** New handshakes use this certificate; running connections stay. */
  setCertificate(certificate: ServingCertificate): void
  /** Fails /readyz, ends watches, lets requests finish. The store stays open: it belongs to the caller. */
  close(): Promise<void>
}

export const DEFAULT_ISSUER = 'https://kubernetes.default.svc'

/** The server itself, when it reads and writes its own objects. */
export const APISERVER_USER: UserInfo = {
  name: 'system:apiserver',
  uid: '',
  groups: ['system:masters', 'system:authenticated'],
  extra: {},
}

const READY_POLL_MS = 5

/** Rejects when the port cannot be listened on; nothing is left running then. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, log } = options
  const parts = assemble(options)
  const http = createHttpServer(parts, options)
  const port = await listen(http, parts)
  // As with upstream's, whose informers do not come to an end.
  if (parts.unserved.length > 0) log.error(new NeverReadyError(parts.unserved).message)
  const started = start(parts, options, port)
  started.catch((error: unknown) => {
    if (!parts.closing.signal.aborted) log.error('start failed', { error: String(error) })
  })
  return {
    url: `https://${options.serving.address}:${port}`,
    port,
    inProcess: parts.inProcess,
    client: (user, component) => new RestClient(new InProcessTransport(parts.inProcess(user), component)),
    ready: async (signal) => {
      if (parts.unserved.length > 0) throw new NeverReadyError(parts.unserved)
      await Promise.race([untilReady(parts, clock, signal), onlyFailure(started)])
    },
    setCertificate: (certificate) => http.setCertificate(certificate),
    close: async () => {
      parts.draining.value = true
      const { delayMs, ...ending } = parts.settings.shutdown
      if (delayMs > 0) await clock.sleep(delayMs)
      await http.close(ending)
      parts.closing.abort()
      await parts.backend.close()
    },
  }
}

async function listen(http: HttpServer, parts: Parts): Promise<number> {
  try {
    return await http.listen()
  } catch (error) {
    parts.closing.abort()
    await parts.backend.close()
    throw error
  }
}

/** The hooks go on for as long as the server lives: only that they could not begin counts. */
function onlyFailure(started: Promise<void>): Promise<never> {
  return new Promise((_resolve, reject) => started.catch(reject))
}

async function untilReady({ health, closing }: Parts, clock: Clock, signal?: AbortSignal): Promise<void> {
  const ended = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
  while (!(await health.isReady())) await clock.sleep(READY_POLL_MS, ended)
}

function createHttpServer(parts: Parts, options: ApiServerOptions): HttpServer {
  const { clock, log } = options
  return new HttpServer({
    handler: parts.networkHandler,
    clock,
    random: options.random,
    log: log.child({ part: 'http' }),
    clientCa: options.clientCa,
    requestHeaderCa: parts.settings.requestHeader?.clientCa ?? '',
    serving: options.serving,
    front: parts.settings,
    onHandshakeError: () => parts.metrics.observeHandshakeError(),
    onAnswer: (request, bytes) => parts.metrics.observeAnswer(request, bytes),
    encodings: {
      mediaTypes: mediaTypesOf(options.features ?? DEFAULT_FEATURE_GATES),
      protobufTypes: protobufTypesOf(options.kinds),
    },
  })
}

type Parts = {
  readonly backend: ResourceBackend
  readonly networkHandler: Handler
  readonly inProcess: (user: UserInfo) => InProcessServer
  readonly client: Client
  readonly feeds: ObjectFeeds
  /** Followed by the server, and not served by it. */
  readonly unserved: readonly string[]
  readonly health: HealthChecks
  readonly bootstrap: Bootstrap
  readonly closing: AbortController
  readonly draining: { value: boolean }
  readonly settings: ApiServerSettings
  readonly metrics: ApiServerMetrics
}

function assemble(options: ApiServerOptions): Parts {
  const { clock, random, log, kinds } = options
  const closing = new AbortController()
  const draining = { value: false }
  const issuers = options.serviceAccountIssuers ?? [DEFAULT_ISSUER]
  const asked = { ...DEFAULT_SETTINGS, ...options.settings }
  const apiAudiences = asked.apiAudiences.length > 0 ? asked.apiAudiences : [issuers[0]!]
  const settings = { ...asked, apiAudiences }
  const keys = loadKeySet(options.serviceAccountKeys)
  const metrics = new ApiServerMetrics()
  const store = new MeasuredStore(options.store, { clock, kinds, registry: metrics.registry })
  const healthMetrics = new HealthMetrics()
  const graceEndMs = clock.monotonic() + settings.livezGraceMs
  const health = new HealthChecks({
    isInGrace: () => clock.monotonic() < graceEndMs,
    observe: (name, group, isWell) => healthMetrics.observe(name, group, isWell),
  })
  const pages = createServerPages({
    clock,
    metrics,
    healthMetrics,
    flags: options.flags ?? null,
    profiling: settings.profiling,
  })
  // The handler of components in this process is made last; until the server is assembled nobody calls it.
  let inProcessHandler: Handler | null = null
  const inProcess = (user: UserInfo): InProcessServer =>
    createInProcessServer((request) => inProcessHandler!(request), { user, closing: closing.signal, clock })
  const client = new RestClient(new InProcessTransport(inProcess(APISERVER_USER), 'kube-apiserver'))
  const feeds = new ObjectFeeds({ client, clock, log: log.child({ part: 'authorization' }) })
  const authorizer = createAuthorizer(feeds, settings.authorizationModes)
  followInertKinds(kinds, feeds, { client, clock, log: log.child({ part: 'inert-conditions' }) })
  if (settings.priorityAndFairness)
    followFlowSchemas(feeds, { client, clock, log: log.child({ part: 'flow-control' }) })
  const tokens = createTokens({
    keys,
    issuers,
    apiAudiences,
    client,
    clock,
    random,
    settings,
    tokenFile: options.tokenFile,
  })
  const backend = options.createResources({
    store,
    kinds,
    clock,
    random,
    log,
    authorizer,
    tokens,
    client,
    features: options.features ?? DEFAULT_FEATURE_GATES,
    components: createComponentChecks(async () => void (await store.currentRevision()), options.componentChecks),
    serviceClusterIpRange: options.serviceClusterIpRange,
    nodePortRange: options.nodePortRange,
    metrics,
    ...(options.admission === undefined ? {} : { admission: options.admission }),
    settings,
  })
  const features = options.features ?? DEFAULT_FEATURE_GATES
  registerServerInfo(metrics.registry, { features, store, ...backend.facts })
  const bootstrap = new Bootstrap({
    client,
    clientAs: (component) => new RestClient(new InProcessTransport(inProcess(APISERVER_USER), component)),
    clock,
    random,
    log,
    health,
    options: { ...options, hostname: hostname() },
    requestHeader: settings.requestHeader,
    keepsEndpoints: settings.keepsEndpoints,
  })
  addServerChecks(health, {
    store,
    feeds,
    backend,
    isDraining: () => draining.value,
    priorityAndFairness: settings.priorityAndFairness,
  })
  const flowControl = createFlowControl({
    clock,
    feeds,
    load: backend.load,
    metrics,
    limits: options.limits ?? DEFAULT_LIMITS,
    requestTimeoutMs: settings.requestTimeoutMs,
    priorityAndFairness: settings.priorityAndFairness,
    signal: closing.signal,
  })
  const routes = createServerRoutes(options, {
    backend,
    client,
    health,
    pages: { ...pages, pathHandlers: [...pages.pathHandlers, ...flowControl.handlers] },
    keys,
    issuer: issuers[0]!,
    jwksUri: settings.jwksUri,
  })
  const audit =
    options.audit === undefined
      ? null
      : {
          ...options.audit,
          clock,
          random,
          observeLevel: (level: AuditLevel) => metrics.observeAuditLevel(level),
          observeEvent: () => metrics.observeAuditEvent(),
          observeRejection: () => metrics.observeAuditRejection(),
        }
  if (audit !== null) metrics.readAuditLosses(audit.backend)
  const stages = {
    metrics: metrics.createStage(clock),
    timeout: createTimeoutStage(clock, settings.requestTimeoutMs),
    failedAuthenticationAudit: audit === null ? null : createFailedAuthenticationAudit(audit),
    audit: audit === null ? null : createAuditStage(audit),
    authentication: metrics.access.aroundAuthentication(
      createAuthenticationStage({ tokens, clock, settings, features, log: log.child({ part: 'authentication' }) }),
      clock,
    ),
    impersonation: createImpersonationStage(authorizer),
    flowControl: flowControl.stage,
    authorization: metrics.access.aroundAuthorization(createAuthorizationStage(authorizer), clock),
    body: createBodyStage((request, bytes) => metrics.observeBody(request, bytes)),
  }
  inProcessHandler = createInProcessChain(stages, routes)
  const networkHandler = createNetworkChain(stages, routes)
  const unserved = feeds.unserved(kinds)
  return {
    backend,
    unserved,
    networkHandler,
    inProcess,
    client,
    feeds,
    health,
    bootstrap,
    closing,
    draining,
    settings,
    metrics,
  }
}

function createServerRoutes(
  options: ApiServerOptions,
  parts: Pick<Parts, 'backend' | 'client' | 'health'> & {
    pages: ServerPages
    keys: KeySet
    issuer: string
    jwksUri: string | null
  },
): Handler {
  const { kinds, random } = options
  const serverAddress = `${options.externalHost ?? options.advertiseAddress}:${options.serving.port}`
  return createRoutes({
    kinds,
    resources: parts.backend.handler,
    proxy: createProxyHandler({ client: parts.client, kubeletClient: options.kubeletClient, random }),
    pathHandlers: [
      discoveryHandler(kinds, { serverAddress, mediaTypes: mediaTypesOf(options.features ?? DEFAULT_FEATURE_GATES) }),
      openApiHandler(kinds, { clock: options.clock }),
      ...parts.pages.pathHandlers,
    ],
    health: parts.health,
    pages: parts.pages.fixed,
    serviceAccountKeys: parts.keys,
    issuer: parts.issuer,
    jwksUri: parts.jwksUri ?? `https://${serverAddress}/openid/v1/jwks`,
    groupPaths: [...discoveryPaths(kinds), '/openapi/v2', '/openapi/v3', '/openapi/v3/'],
  })
}

async function start(parts: Parts, options: ApiServerOptions, port: number): Promise<void> {
  await parts.backend.ready()
  parts.feeds.start(parts.closing.signal, parts.unserved)
  await parts.bootstrap.run({ address: options.advertiseAddress, port, signal: parts.closing.signal })
}
