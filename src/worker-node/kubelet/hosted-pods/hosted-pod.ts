/** The contract of a pod whose containers run inside the kubelet's own process: to everyone else it is a static pod. */
import type { Logger } from '#base/log.ts'
import type { Manifest } from '../static-pods/read-manifests.ts'

/** What one container does. It may be run again and again, but never twice at once. */
export interface HostedProgram {
  /**
   * Runs until `signal` aborts, then lets everything go and resolves. A rejection is the container's end with exit code 1: the
   * kubelet starts it again, with its usual back-off. Lines of `log` are the container's log.
   */
  run(log: Logger, signal: AbortSignal): Promise<void>
  /** Answers the command of an exec probe. A rejection is the probe's failure, its message the probe's output. */
  probe(command: readonly string[], signal: AbortSignal): Promise<string>
}

export type HostedPod = {
  /** Of a pod on the node's network; images need no registry, for nothing is pulled. */
  readonly manifest: Manifest
  /** By container name. */
  readonly programs: Readonly<Record<string, HostedProgram>>
}

/** Stands in front of the ids of containers and images that no container runtime has. */
export const HOSTED_RUNTIME_NAME = 'kubets'
