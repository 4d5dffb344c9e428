/** /containerLogs/{namespace}/{pod}/{container}: what `kubectl logs` shows. */
import { once } from 'node:events'
import { join } from 'node:path'
import type { Pod } from '#api/core/v1.gen.ts'
import { podLogFolder } from '../../containers/pod-folders.ts'
import { findContainer } from '../../pods/pod-facts.ts'
import { readLog, type LogOptions } from '../../logs/read-log.ts'
import type { ContainerRecord } from '../../runtime/runtime-service.ts'
import { HttpError } from '../http-error.ts'
import { containersNamed, podAndContainer, type RequestHandler, type ServerContext } from '../server-context.ts'

export const serveContainerLogs: RequestHandler = async (context, { url, parts, signal }, response) => {
  const { pod, name } = podAndContainer(context, parts, `pod ${JSON.stringify(parts[1])} does not exist`)
  if (!findContainer(pod, name)) throw new HttpError(404, `container "${name}" not found in pod "${pod.metadata.name}"`)
  const options = parseLogOptions(url.searchParams, context.clock.now())
  const container = await chooseContainer(context, pod, name, url.searchParams.get('previous') === 'true')
  const path = join(context.podLogsDir, podLogFolder(pod), name, `${container.attempt}.log`)
  const isRunning = async (): Promise<boolean> =>
    (await context.runtime.containerStatus(container.id))?.state === 'running'
  const chunks = readLog({ path, clock: context.clock, signal, isRunning }, options)
  response.writeHead(200, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' })
  response.flushHeaders()
  try {
    for await (const chunk of chunks) if (!response.write(chunk)) await once(response, 'drain', { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
  response.end()
}

async function chooseContainer(
  context: ServerContext,
  pod: Pod,
  name: string,
  previous: boolean,
): Promise<ContainerRecord> {
  const [newest, before] = await containersNamed(context, pod, name)
  const podName = pod.metadata.name
  if (previous) {
    // A container that waits for its restart is itself the one that ended.
    const ended = newest?.state === 'exited' && isWaiting(pod, name) ? newest : before
    if (!ended) throw new HttpError(400, `previous terminated container "${name}" in pod "${podName}" not found`)
    return ended
  }
  if (!newest || newest.state === 'created') {
    const reason = statusOf(pod, name)?.state?.waiting?.reason ?? 'ContainerCreating'
    const isPulling = /Image|Pull/.test(reason)
    const what = isPulling ? `trying and failing to pull image` : reason
    throw new HttpError(400, `container "${name}" in pod "${podName}" is waiting to start: ${what}`)
  }
  return newest
}

const isWaiting = (pod: Pod, name: string): boolean => statusOf(pod, name)?.state?.waiting !== undefined

function statusOf(
  pod: Pod,
  name: string,
): NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number] | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    (status) => status.name === name,
  )
}

export function parseLogOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const number = (key: string): number | undefined => {
    const text = query.get(key)
    if (text === null || text === '') return undefined
    const value = Number(text)
    if (!Number.isInteger(value) || value < 0) throw new HttpError(400, `invalid ${key}: "${text}"`)
    return value
  }
  const [tailLines, limitBytes, sinceSeconds] = [number('tailLines'), number('limitBytes'), number('sinceSeconds')]
  const sinceTime = query.get('sinceTime')
  const sinceMs =
    sinceSeconds !== undefined ? nowMs - sinceSeconds * 1000 : sinceTime ? Date.parse(sinceTime) : undefined
  const stream = query.get('stream') ?? 'All'
  if (stream !== 'All' && stream !== 'Stdout' && stream !== 'Stderr')
    throw new HttpError(400, `invalid stream: "${stream}"`)
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    stream,
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceMs !== undefined && { sinceMs }),
  }
}
