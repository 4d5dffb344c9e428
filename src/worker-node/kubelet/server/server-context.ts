/** What the handlers of the kubelet's API may ask the kubelet. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { CgroupManager } from '../cgroups/cgroup-manager.ts'
import type { ContainerRecord, RuntimeService } from '../runtime/runtime-service.ts'
import { HttpError } from './http-error.ts'

export type ServerContext = {
  readonly nodeName: string
  readonly runtime: RuntimeService
  readonly cgroups: CgroupManager
  readonly clock: Clock
  readonly log: Logger
  readonly podLogsDir: string
  readonly rootDir: string
  pods(): Pod[]
}

export type Call = {
  readonly request: IncomingMessage
  readonly url: URL
  /** Parts of the path behind the first. */
  readonly parts: readonly string[]
  readonly signal: AbortSignal
}

export type RequestHandler = (context: ServerContext, call: Call, response: ServerResponse) => Promise<void>

export type UpgradeHandler = (
  context: ServerContext,
  call: Call,
  connection: { readonly socket: Duplex; readonly head: Buffer },
) => Promise<void>

export function findPod(
  context: ServerContext,
  namespace: string | undefined,
  name: string | undefined,
  { uid, absent = 'pod does not exist' }: { readonly uid?: string | undefined; readonly absent?: string } = {},
): Pod {
  const pod = context
    .pods()
    .find(
      ({ metadata }) => metadata.namespace === namespace && metadata.name === name && (!uid || metadata.uid === uid),
    )
  if (!pod) throw new HttpError(404, absent)
  return pod
}

/** `/{namespace}/{pod}/{container}` or `/{namespace}/{pod}/{uid}/{container}`. */
export function podAndContainer(
  context: ServerContext,
  parts: readonly string[],
  absent?: string,
): { readonly pod: Pod; readonly name: string } {
  if (parts.length < 3 || parts.length > 4) throw new HttpError(404, '404 page not found')
  const pod = findPod(context, parts[0], parts[1], {
    ...(parts.length === 4 && { uid: parts[2] }),
    ...(absent !== undefined && { absent }),
  })
  return { pod, name: parts.at(-1)! }
}

/** Newest first. */
export async function containersNamed(context: ServerContext, pod: Pod, name: string): Promise<ContainerRecord[]> {
  const all = await context.runtime.listContainers(pod.metadata.uid)
  return all.filter((container) => container.name === name).sort((a, b) => b.attempt - a.attempt)
}

export async function runningContainer(
  context: ServerContext,
  pod: Pod,
  name: string,
): Promise<ContainerRecord | null> {
  return (await containersNamed(context, pod, name)).find(({ state }) => state === 'running') ?? null
}
