/** The one shape of every controller: names what wakes it, and brings one object closer to its desired state per call. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { RandomSource } from '#base/random.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import type { InformerFactory } from '#client/informer.ts'
import type { CertificateSigning } from './certificatesigningrequest/certificate-signer.ts'
import type { NodeLifecycleOptions } from './node-lifecycle/options.ts'

export type Result = {
  /** Call again after this time, even if nothing changes. */
  readonly requeueAfterMs?: number
}

/** Puts keys into the controller's queue; the same key waits at most once and is never worked on twice at a time. */
export type Enqueue = (key: string, afterMs?: number) => void

export interface Controller {
  /** Upstream's name, `deployment-controller`. */
  readonly name: string
  /** How many keys are worked on at a time. */
  readonly workers: number
  /** Registers the informer handlers that enqueue keys. Called once, before the informers start. */
  watch(enqueue: Enqueue): void
  /**
   * Works on one key. Reads from informers or the client, writes through the client. Idempotent. Throwing means retry with
   * exponential backoff; TerminalError means do not retry before the next change.
   */
  reconcile(key: string, signal: AbortSignal): Promise<Result>
}

export class TerminalError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TerminalError'
  }
}

/** What differs from cluster to cluster. */
export type ControllerOptions = {
  /** Range that the nodes' pod ranges are cut from; without it nodes get none. */
  readonly clusterCidr?: string
  /** Prefix length of one node's pod range; 24 when absent. */
  readonly nodeCidrMaskSize?: number
  /** PEM text that goes into each namespace's `kube-root-ca.crt`; without it none is written. */
  readonly rootCa?: string
  /** Upstream's defaults when absent. */
  readonly nodeLifecycle?: NodeLifecycleOptions
  /** Signs the tokens of Secrets of type service-account-token; without it they stay empty. */
  readonly serviceAccountSigner?: ServiceAccountSigner
  /** Signs approved CertificateSigningRequests; without it they stay unsigned. */
  readonly certificateSigning?: CertificateSigning
  /** Time that admission gets to see the deletion of a namespace before it is emptied; 5 s when absent. */
  readonly namespaceDeletionGraceMs?: number
  /** Names of controllers to run, as `--controllers` takes them (`*`, `name`, `-name`). */
  readonly controllers?: readonly string[]
}

/** Makes a token that does not expire for a ServiceAccount and one of its Secrets. */
export type ServiceAccountSigner = (account: {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly secretName: string
}) => Promise<string>

/** What every controller is made from. */
export type ControllerContext = {
  readonly options: ControllerOptions
  readonly client: Client
  readonly informers: InformerFactory
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly events: EventRecorder
}

/** One line of the list in index.ts. */
export type ControllerDefinition = {
  readonly name: string
  /** What its events name as their source. */
  readonly eventSource: string
  create(context: ControllerContext): Controller
}
