/** What every component that runs alone begins and ends with: its connection to an API server, its signals, its exit code. */
import { SystemClock, type Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { createLogger } from '#base/pino-log.ts'
import { SystemRandom, type RandomSource } from '#base/random.ts'
import { untilSignal } from '#base/until-signal.ts'
import type { Client } from '#client/client.ts'
import { HttpTransport } from '#client/http-transport.ts'
import { SharedInformerFactory } from '#client/informer-factory.ts'
import { inClusterConfig, loadKubeconfig } from '#client/kubeconfig.ts'
import { RestClient } from '#client/rest-client.ts'
import { explainError } from './explain-error.ts'
import { UsageError } from './flag-set/parse-flags.ts'

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

/** Runs a program until SIGINT or SIGTERM, and ends the process: 0 when it is done, 1 after a failure. */
export async function runComponent(name: string, main: (signal: AbortSignal) => Promise<void>): Promise<never> {
  try {
    await main(untilSignal())
  } catch (error) {
    tellFailure(name, error)
  }
  process.exit(0)
}

/** One line for what a user or the machine did wrong; a defect is thrown on, so that its stack is seen. */
export function tellFailure(name: string, error: unknown): never {
  const explanation = explainError(error)
  if (explanation === null) throw error
  process.stderr.write(`${error instanceof UsageError ? 'Error' : name}: ${explanation}\n`)
  // Not `exitCode`: what a program that failed half-way left open would keep the process alive.
  process.exit(1)
}
