/** /stats/summary and /metrics/resource: what metrics-server and dashboards read. */
import { statfs } from 'node:fs/promises'
import os from 'node:os'
import type { Call, RequestHandler, ServerContext } from '../server-context.ts'
import { UsageReader, type Usage } from '../usage.ts'
import { formatTime } from '../../pods/pod-conditions.ts'

export type StatsRoutes = { readonly summary: RequestHandler; readonly resource: RequestHandler }

/** Both share one reader, so that a rate is there whoever asked before. */
export function statsRoutes(context: ServerContext): StatsRoutes {
  const reader = new UsageReader(context)
  return {
    summary: (_context, call, response) => serveSummary(context, reader, call, response),
    resource: (_context, _call, response) => serveResource(context, reader, response),
  }
}

async function serveSummary(
  context: ServerContext,
  reader: UsageReader,
  _call: Call,
  response: Parameters<RequestHandler>[2],
): Promise<void> {
  const [node, pods, disk] = await Promise.all([reader.node(), reader.pods(context.pods()), statfs(context.rootDir)])
  const time = formatTime(context.clock.now())
  const fs = {
    time,
    capacityBytes: disk.blocks * disk.bsize,
    availableBytes: disk.bavail * disk.bsize,
    usedBytes: (disk.blocks - disk.bfree) * disk.bsize,
    inodes: disk.files,
    inodesFree: disk.ffree,
    inodesUsed: disk.files - disk.ffree,
  }
  const summary = {
    node: {
      nodeName: context.nodeName,
      startTime: formatTime(context.clock.now() - os.uptime() * 1000),
      cpu: cpu(node),
      memory: { ...memory(node), availableBytes: os.totalmem() - node.memoryWorkingSetBytes },
      fs,
      runtime: { imageFs: fs },
    },
    pods: pods.map(({ pod, usage, containers }) => ({
      podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      startTime: pod.status?.startTime ?? null,
      containers: containers.map(({ name, startedAtMs, usage: own }) => ({
        name,
        startTime: formatTime(startedAtMs),
        cpu: cpu(own),
        memory: memory(own),
      })),
      cpu: cpu(usage),
      memory: memory(usage),
      process_stats: { process_count: usage.processes },
    })),
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(summary))
}

const cpu = (usage: Usage): object => ({
  time: formatTime(usage.atMs),
  usageNanoCores: usage.cpuNanoCores,
  usageCoreNanoSeconds: usage.cpuUsageNanoseconds,
})

const memory = (usage: Usage): object => ({
  time: formatTime(usage.atMs),
  usageBytes: usage.memoryUsageBytes,
  workingSetBytes: usage.memoryWorkingSetBytes,
  rssBytes: usage.memoryRssBytes,
  pageFaults: usage.pageFaults,
  majorPageFaults: usage.majorPageFaults,
})

async function serveResource(
  context: ServerContext,
  reader: UsageReader,
  response: Parameters<RequestHandler>[2],
): Promise<void> {
  const [node, pods] = await Promise.all([reader.node(), reader.pods(context.pods())])
  const containers = pods.flatMap(({ pod, containers: own }) =>
    own.map((entry) => ({
      ...entry,
      labels: { container: entry.name, namespace: pod.metadata.namespace ?? '', pod: pod.metadata.name },
    })),
  )
  const podLabels = (pod: (typeof pods)[number]['pod']): Record<string, string> => ({
    namespace: pod.metadata.namespace ?? '',
    pod: pod.metadata.name,
  })
  const text = [
    metric(
      'container_cpu_usage_seconds_total',
      'counter',
      'Cumulative cpu time consumed by the container in core-seconds',
      containers.map(({ labels, usage }) => ({ labels, value: usage.cpuUsageNanoseconds / 1e9, atMs: usage.atMs })),
    ),
    metric(
      'container_memory_working_set_bytes',
      'gauge',
      'Current working set of the container in bytes',
      containers.map(({ labels, usage }) => ({ labels, value: usage.memoryWorkingSetBytes, atMs: usage.atMs })),
    ),
    metric(
      'container_start_time_seconds',
      'gauge',
      'Start time of the container since unix epoch in seconds',
      containers.map(({ labels, startedAtMs }) => ({ labels, value: startedAtMs / 1000 })),
    ),
    metric('node_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the node in core-seconds', [
      { labels: {}, value: node.cpuUsageNanoseconds / 1e9, atMs: node.atMs },
    ]),
    metric('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes', [
      { labels: {}, value: node.memoryWorkingSetBytes, atMs: node.atMs },
    ]),
    metric(
      'pod_cpu_usage_seconds_total',
      'counter',
      'Cumulative cpu time consumed by the pod in core-seconds',
      pods.map(({ pod, usage }) => ({
        labels: podLabels(pod),
        value: usage.cpuUsageNanoseconds / 1e9,
        atMs: usage.atMs,
      })),
    ),
    metric(
      'pod_memory_working_set_bytes',
      'gauge',
      'Current working set of the pod in bytes',
      pods.map(({ pod, usage }) => ({ labels: podLabels(pod), value: usage.memoryWorkingSetBytes, atMs: usage.atMs })),
    ),
    metric('resource_scrape_error', 'gauge', '1 if there was an error while getting container metrics, 0 otherwise', [
      { labels: {}, value: 0 },
    ]),
  ]
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  response.end(text.join(''))
}

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number; readonly atMs?: number }

/** Prometheus' text format. */
export function metric(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels, value, atMs }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}=${JSON.stringify(text)}`)
    const set = pairs.length > 0 ? `{${pairs.join(',')}}` : ''
    return `${name}${set} ${value}${atMs === undefined ? '' : ` ${Math.round(atMs)}`}\n`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}
