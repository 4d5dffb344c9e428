/** /pods and /runningpods: what this kubelet works on. */
import type { RequestHandler } from '../server-context.ts'

export const servePods: RequestHandler = (context, _call, response) => {
  const items = context.pods().map((pod) => ({ apiVersion: 'v1', kind: 'Pod', ...pod }))
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items }))
  return Promise.resolve()
}

export const serveRunningPods: RequestHandler = async (context, _call, response) => {
  const [sandboxes, containers] = await Promise.all([
    context.runtime.listPodSandboxes(),
    context.runtime.listContainers(),
  ])
  const items = sandboxes
    .filter(({ ready }) => ready)
    .map((sandbox) => ({
      metadata: {
        name: sandbox.podName,
        namespace: sandbox.podNamespace,
        uid: sandbox.podUid,
        creationTimestamp: null,
      },
      spec: {
        containers: containers
          .filter(({ sandboxId, state }) => sandboxId === sandbox.id && state === 'running')
          .map(({ name }) => ({ name, resources: {} })),
      },
      status: {},
    }))
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items }))
}
