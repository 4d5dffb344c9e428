/** A whole API server in memory with controllers over it, for tests: real time, no waiting that is not for an answer. */
import { KINDS } from '#api/kinds.ts'
import { SystemClock } from '#base/clock.ts'
import { NO_LOG, type Logger } from '#base/log.ts'
import { SystemRandom } from '#base/random.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import type { Client } from '#client/client.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { SharedInformerFactory } from '#client/informer-factory.ts'
import { RestClient } from '#client/rest-client.ts'
import { signAllWith } from '#cluster/certificate-signer.ts'
import {
  createAuthority,
  createSigningKey,
  issueCertificate,
  type Authority,
  type KeyPair,
} from '#cluster/certificates/authority.ts'
import { createServiceAccountSigner } from '#cluster/service-account-signer.ts'
import { createApiServer, type ApiServer } from '#control-plane/apiserver/apiserver.ts'
import { createResources } from '#control-plane/apiserver/endpoints/resource-backend.ts'
import { createMemoryStore } from '#control-plane/store/memory/memory-store.ts'
import { runControllers } from '#control-plane/controllers/controller-manager.ts'
import type { ControllerOptions } from '#control-plane/controllers/controller.ts'

export type TestCluster = {
  readonly client: Client
  /** In this process, as another user. */
  clientOf(user: { readonly name: string; readonly groups: readonly string[] }): Client
  /** Over HTTPS, as whoever this certificate is for. */
  clientWith(pair: KeyPair): Client
  /** Resolves with the first answer that is not null or undefined; throws after the limit. */
  eventually<T>(ask: () => Promise<T | null | undefined>, limitMs?: number): Promise<T>
  close(): Promise<void>
}

const LIMIT_MS = 10_000
const PAUSE_MS = 10

export async function startTestCluster(options: ControllerOptions = {}, log: Logger = NO_LOG): Promise<TestCluster> {
  const clock = new SystemClock({ keepsProcessAlive: true })
  const random = new SystemRandom()
  const signing = await createSigningKey()
  const ca = await createAuthority('kubernetes', clock)
  const server = await startServer({ clock, random, log, ca, signingKey: signing.privateKey })
  const user = { name: 'system:kube-controller-manager', uid: '', groups: ['system:masters'], extra: {} }
  const client = server.client(user, 'kube-controller-manager')
  const informers = new SharedInformerFactory({ client, clock, random, log })
  const events = new ApiEventRecorder({ client, clock, random, log, component: 'kube-controller-manager', host: '' })
  const closing = new AbortController()
  const running = runControllers({
    client,
    informers,
    clock,
    random,
    log,
    events,
    signal: closing.signal,
    options: {
      serviceAccountSigner: createServiceAccountSigner(signing.privateKey),
      certificateSigning: signAllWith(ca),
      ...options,
    },
  })
  const transports: HttpTransport[] = []
  return {
    client,
    clientOf: ({ name, groups }) => server.client({ name, uid: '', groups, extra: {} }, 'test'),
    clientWith: ({ certificate, privateKey }) => {
      const trust = { server: server.url, certificateAuthority: ca.certificate }
      const config = { ...trust, clientCertificate: certificate, clientKey: privateKey }
      const transport = new HttpTransport({ config, clock, userAgent: 'test' })
      transports.push(transport)
      return new RestClient(transport)
    },
    eventually: async (ask, limitMs = LIMIT_MS) => {
      for (const endsAt = clock.monotonic() + limitMs; clock.monotonic() < endsAt;) {
        const answer = await ask().catch(() => null) // Not there yet is an answer like any other.
        if (answer !== null && answer !== undefined) return answer
        await clock.sleep(PAUSE_MS)
      }
      throw new Error(`not so within ${limitMs} ms: ${ask.toString()}`)
    },
    close: async () => {
      closing.abort()
      await running
      for (const transport of transports) await transport.close()
      await server.close()
    },
  }
}

async function startServer({
  clock,
  random,
  log,
  ca,
  signingKey,
}: {
  clock: SystemClock
  random: SystemRandom
  log: Logger
  ca: Authority
  signingKey: string
}): Promise<ApiServer> {
  const [serving, kubelet] = await Promise.all([
    issueCertificate(ca, { commonName: 'kube-apiserver', hosts: ['127.0.0.1'], usages: ['server'] }, clock),
    issueCertificate(ca, { commonName: 'kubelet-client', organizations: [], usages: ['client'] }, clock),
  ])
  const server = await createApiServer({
    // Its timers end events after an hour: no test waits for that.
    store: createMemoryStore({ clock: new SystemClock() }),
    kinds: KINDS,
    createResources: (dependencies) => createResources(dependencies, { freeze: true }),
    clock,
    random,
    log,
    serving: { ...serving, port: 0, address: '127.0.0.1' },
    advertiseAddress: '127.0.0.1',
    clientCa: ca.certificate,
    serviceAccountKeys: { signingKey },
    serviceClusterIpRange: '10.96.0.0/16',
    nodePortRange: { from: 30000, to: 32767 },
    kubeletClient: { ...kubelet, certificateAuthority: ca.certificate },
  })
  await server.ready()
  return server
}
