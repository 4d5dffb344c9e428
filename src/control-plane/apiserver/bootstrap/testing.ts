/** A server of resources on a store, with a client of it, for tests. */
import { KINDS } from '#api/kinds.ts'
import { SystemClock } from '#base/clock.ts'
import { DEFAULT_FEATURE_GATES } from '#base/feature-gates.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import { InProcessTransport } from '#client/in-process-transport.ts'
import { RestClient } from '#client/rest-client.ts'
import type { Store } from '#control-plane/store/store.ts'
import { createResources } from '../endpoints/resource-backend.ts'
import { ADMIN, ALLOW_ALL } from '../endpoints/testing.ts'
import { createInProcessServer } from '../in-process-server.ts'
import type { ResourceBackend, ResourceDependencies } from '../resource-backend.ts'
import { DEFAULT_SETTINGS } from '../settings.ts'

export const CLOCK = new SystemClock({ keepsProcessAlive: true })

export function serverOn(store: Store): { backend: ResourceBackend; client: Client } {
  const dependencies: ResourceDependencies = {
    store,
    kinds: KINDS,
    clock: CLOCK,
    random: new SeededRandom(1),
    log: NO_LOG,
    authorizer: ALLOW_ALL,
    tokens: null as unknown as ResourceDependencies['tokens'],
    client: null as unknown as ResourceDependencies['client'],
    features: DEFAULT_FEATURE_GATES,
    serviceClusterIpRange: '10.96.0.0/24,fd00::/112',
    nodePortRange: { from: 30_000, to: 32_767 },
    admission: { disabled: ['NamespaceLifecycle'] },
    settings: DEFAULT_SETTINGS,
  }
  const backend = createResources(dependencies, { freeze: true })
  const closing = new AbortController().signal
  const server = createInProcessServer((request) => backend.handler(request), { user: ADMIN, closing, clock: CLOCK })
  return { backend, client: new RestClient(new InProcessTransport(server, 'test')) }
}
