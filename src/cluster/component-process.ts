/** What every component that runs alone begins with: its connection to an API server, its clock, its log, its informers. */
import { SystemClock, type Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { createLogger } from '#base/pino-log.ts'
import { SystemRandom, type RandomSource } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { SharedInformerFactory } from '#client/informer-factory.ts'
import { inClusterConfig, loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'

export type Component = {
  readonly client: Client
  readonly informers: SharedInformerFactory
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

/** Without a kubeconfig the component is a pod, and uses its service account. */
export async function connectComponent(name: string, kubeconfig: string | undefined): Promise<Component> {
  const [clock, random, log] = [new SystemClock(), new SystemRandom(), createLogger(name)]
  const config = kubeconfig === undefined ? await inClusterConfig(process.env) : await loadKubeconfig(kubeconfig)
  const client = new RestClient(new HttpTransport({ config, clock, userAgent: `${name}/v1.37.2` }))
  return { client, informers: new SharedInformerFactory({ client, clock, random, log }), clock, random, log }
}
