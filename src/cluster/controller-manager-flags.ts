/** The flags of kube-controller-manager, named and defaulted as upstream's, and what they mean for the controllers. */
import { parseArgs } from 'node:util'
import { parseDuration } from '#base/duration.ts'
import {
  NODE_LIFECYCLE_DEFAULTS,
  type NodeLifecycleOptions,
} from '#control-plane/controllers/node-lifecycle/options.ts'

export type ControllerManagerFlags = {
  readonly kubeconfig: string | undefined
  readonly leaderElect: boolean
  readonly clusterCidr: string | undefined
  readonly rootCaFile: string | undefined
  readonly serviceAccountPrivateKeyFile: string | undefined
  readonly controllers: readonly string[]
  readonly nodeLifecycle: NodeLifecycleOptions
}

const OPTIONS = {
  kubeconfig: { type: 'string' },
  'leader-elect': { type: 'boolean', default: true },
  'cluster-cidr': { type: 'string' },
  'root-ca-file': { type: 'string' },
  'service-account-private-key-file': { type: 'string' },
  controllers: { type: 'string', default: '*' },
  'node-monitor-period': { type: 'string' },
  'node-monitor-grace-period': { type: 'string' },
  'node-startup-grace-period': { type: 'string' },
  'node-eviction-rate': { type: 'string' },
  'secondary-node-eviction-rate': { type: 'string' },
  'large-cluster-size-threshold': { type: 'string' },
  'unhealthy-zone-threshold': { type: 'string' },
} as const

/** Throws for a flag that is unknown, or whose value is none. */
export function parseControllerManagerFlags(args: readonly string[]): ControllerManagerFlags {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, allowNegative: true })
  return {
    kubeconfig: values.kubeconfig,
    leaderElect: values['leader-elect'],
    clusterCidr: values['cluster-cidr'],
    rootCaFile: values['root-ca-file'],
    serviceAccountPrivateKeyFile: values['service-account-private-key-file'],
    controllers: values.controllers.split(','),
    nodeLifecycle: nodeLifecycleOf(values),
  }
}

function nodeLifecycleOf(values: Readonly<Record<string, string | boolean | undefined>>): NodeLifecycleOptions {
  const defaults = NODE_LIFECYCLE_DEFAULTS
  const read = (flag: string, unset: number, parse: (flag: string, text: string) => number): number => {
    const text = values[flag]
    return typeof text === 'string' ? parse(flag, text) : unset
  }
  return {
    nodeMonitorPeriodMs: read('node-monitor-period', defaults.nodeMonitorPeriodMs, durationOf),
    nodeMonitorGracePeriodMs: read('node-monitor-grace-period', defaults.nodeMonitorGracePeriodMs, durationOf),
    nodeStartupGracePeriodMs: read('node-startup-grace-period', defaults.nodeStartupGracePeriodMs, durationOf),
    nodeEvictionRate: read('node-eviction-rate', defaults.nodeEvictionRate, numberOf),
    secondaryNodeEvictionRate: read('secondary-node-eviction-rate', defaults.secondaryNodeEvictionRate, numberOf),
    largeClusterSizeThreshold: read('large-cluster-size-threshold', defaults.largeClusterSizeThreshold, numberOf),
    unhealthyZoneThreshold: read('unhealthy-zone-threshold', defaults.unhealthyZoneThreshold, numberOf),
  }
}

function durationOf(flag: string, text: string): number {
  const duration = parseDuration(text)
  if (duration === null || duration <= 0) throw new Error(`--${flag}: "${text}" is not a duration such as 5s or 1m30s`)
  return duration
}

function numberOf(flag: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(number) || number < 0) throw new Error(`--${flag}: "${text}" is not a number of 0 or more`)
  return number
}
