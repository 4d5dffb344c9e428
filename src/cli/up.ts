/** `kubets up`: one control plane and real nodes on this machine. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { SystemClock } from '#base/clock.ts'
import { withClusterLock } from '#cluster/cluster-lock.ts'
import { checkClusterName, commandLine, DEFAULT_NAME, paths } from '#cluster/cluster-state.ts'
import { FEATURE_GATES_HELP } from '#cluster/feature-gates-flag.ts'
import { RUNTIME_CONFIG_HELP } from '#cluster/runtime-config-flag.ts'
import { bringUp, checkMachine, type UpResult } from '#cluster/up.ts'
import { NAME_FLAG, NAME_HELP } from './cluster-option.ts'
import { createProgress } from './progress.ts'

type Options = {
  name: string
  nodes?: number
  dataDir?: string
  port?: number
  install: boolean
  runtimeConfig?: string[]
  featureGates?: string[]
}

export function register(program: Command): void {
  program
    .command('up')
    .description('start a cluster: one control plane and three real nodes')
    .option(NAME_FLAG, NAME_HELP, DEFAULT_NAME)
    .option('--nodes <count>', 'number of nodes (3 unless the cluster has more)', parseWholeNumber)
    .option('--port <port>', 'port of the API server (6443, or the next free one)', parsePort)
    .option('--data-dir <folder>', 'where the cluster keeps its data (/var/lib/kubets/data/NAME)', parseFolder)
    .option('--runtime-config <pairs>', RUNTIME_CONFIG_HELP, collect)
    .option('--feature-gates <pairs>', FEATURE_GATES_HELP, collect)
    .option('--no-install', 'install no packages of the system; say what is missing')
    .action(start)
}

const PORT_MAX = 65_535

export function parsePort(text: string): number {
  const port = parseWholeNumber(text)
  if (port > PORT_MAX) throw new InvalidArgumentError(`Not a port: the highest one is ${PORT_MAX}.`)
  return port
}

export function parseWholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Not a whole number.')
  return Number(text)
}

/** All values of a flag that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** An empty text, as an unset variable leaves it, would be the current folder. */
export function parseFolder(text: string): string {
  if (text === '') throw new InvalidArgumentError('Not a folder.')
  return resolve(text)
}

async function start(options: Options): Promise<void> {
  const progress = createProgress(process.stderr)
  const clock = new SystemClock({ keepsProcessAlive: true })
  const { name, nodes, dataDir, port, install, runtimeConfig, featureGates } = options
  const report = (box: string, text: string): void => progress.report(box, text)
  checkMachine()
  checkClusterName(name)
  const waiting = (): void => report('machine', 'another command works on this cluster: waiting for it')
  const result = await withClusterLock({ name, clock, waiting }, () =>
    bringUp({ name, nodes, dataDir, port, install, runtimeConfig, featureGates, clock, progress: report }),
  )
  process.stdout.write(summary(result))
}

function summary({ state, wasRunning, apiReadyMs, nodesReadyMs }: UpResult): string {
  const kubeconfig = paths.kubeconfig(state.dataDir)
  const nodes = state.nodes === 1 ? '1 node' : `${state.nodes} nodes`
  if (wasRunning)
    return `cluster "${state.name}" is already running with ${nodes}: nothing to do\nkubeconfig: ${kubeconfig}\n`
  return `cluster "${state.name}" is up: API after ${(apiReadyMs / 1000).toFixed(2)} s, ${nodes} ready after ${(nodesReadyMs / 1000).toFixed(2)} s
kubeconfig: ${kubeconfig}

Try next:
  export KUBECONFIG=$(./${commandLine('kubeconfig', state.name)})
  kubectl get nodes -o wide
  kubectl create deployment web --image=nginx --replicas=3
  ./${commandLine('status', state.name)}
`
}
