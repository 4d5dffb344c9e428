/** Asks a running cluster how it is, with the administrator's certificate. */
import { request, type RequestOptions } from 'node:https'
import { readFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { Node } from '#api/core/v1.gen.ts'
import type { Clock } from '#base/clock.ts'
import { type ClusterError, paths, type ClusterState } from './cluster-state.ts'

export type Probe = {
  /** Body of a GET, and its status code; null when the API server does not answer. */
  get(path: string): Promise<{ readonly code: number; readonly body: string } | null>
}

const REQUEST_TIMEOUT_MS = 2000

export async function createProbe(state: ClusterState): Promise<Probe> {
  const pki = paths.pki(state.dataDir)
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'admin.crt', 'admin.key'].map((file) => readFile(join(pki, file))),
  )
  return {
    get: (path) =>
      new Promise((resolve) => {
        const options: RequestOptions = {
          host: '127.0.0.1',
          port: state.port,
          path,
          ca,
          cert,
          key,
          agent: false,
          timeout: REQUEST_TIMEOUT_MS,
        }
        const call = request(options, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
          response.on('error', () => resolve(null))
        })
        call.on('timeout', () => call.destroy())
        call.on('error', () => resolve(null))
        call.end()
      }),
  }
}

export async function isApiReady(probe: Probe): Promise<boolean> {
  return (await probe.get('/readyz'))?.code === 200
}

export async function listNodes(probe: Probe): Promise<Node[]> {
  const answer = await probe.get('/api/v1/nodes')
  return answer?.code === 200 ? (JSON.parse(answer.body) as { items: Node[] }).items : []
}

/** What a node said before `sinceMs` (of its life before) does not count; heartbeats are in whole seconds. */
export function isNodeReady(node: Node, sinceMs = 0): boolean {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  const heartbeatMs = Date.parse(ready?.lastHeartbeatTime ?? '')
  return ready?.status === 'True' && heartbeatMs >= Math.floor(sinceMs / 1000) * 1000
}

/** Polls until the condition holds; throws ClusterError with `what` when it does not in time. */
export async function waitFor(
  condition: () => Promise<boolean>,
  failure: () => ClusterError,
  limitMs: number,
  clock: Clock,
): Promise<void> {
  const deadline = clock.monotonic() + limitMs
  while (!(await condition())) {
    if (clock.monotonic() > deadline) throw failure()
    await clock.sleep(20)
  }
}

/** Whether something listens there already. */
export function isPortTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
