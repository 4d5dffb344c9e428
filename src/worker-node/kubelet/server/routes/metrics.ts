/** /metrics: the kubelet about itself. */
import type { RequestHandler } from '../server-context.ts'
import { metric } from './stats.ts'

export const serveMetrics: RequestHandler = async (context, _call, response) => {
  const containers = await context.runtime.listContainers()
  const states = new Map<string, number>()
  for (const { state } of containers) states.set(state, (states.get(state) ?? 0) + 1)
  const { rss } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const sandboxes = (await context.runtime.listPodSandboxes()).filter(({ ready }) => ready).length
  const samples = [...states].map(([state, value]) => ({ labels: { container_state: state }, value }))
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  response.end(
    [
      metric('kubelet_node_name', 'gauge', "The node's name. The count is always 1.", [
        { labels: { node: context.nodeName }, value: 1 },
      ]),
      metric('kubelet_running_pods', 'gauge', 'Number of pods that have a running pod sandbox', [
        { labels: {}, value: sandboxes },
      ]),
      metric('kubelet_running_containers', 'gauge', 'Number of containers currently running', samples),
      metric('kubelet_desired_pods', 'gauge', 'Number of pods the kubelet is told to run', [
        { labels: {}, value: context.pods().length },
      ]),
      metric('process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.', [{ labels: {}, value: rss }]),
      metric('process_cpu_seconds_total', 'counter', 'Total user and system CPU time spent in seconds.', [
        { labels: {}, value: (user + system) / 1e6 },
      ]),
    ].join(''),
  )
}
