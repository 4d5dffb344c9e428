/** The scheduler alone, against any API server: `kube-scheduler --kubeconfig FILE`. */
import { once } from 'node:events'
import { hostname } from 'node:os'
import { Command } from 'commander'
import { randomUuid } from '#base/random.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import { runAsLeader } from '#client/leader-election.ts'
import { createAuthority, issueCertificate, type KeyPair } from '#cluster/certificates/authority.ts'
import { connectComponent, runComponent, type Component } from '#cluster/component-process.ts'
import { FlagError, parseBoolean, portNumber, readFlagFile } from '#cluster/flags.ts'
import { SchedulerMetrics } from '#control-plane/scheduler/metrics.ts'
import { DEFAULT_SCHEDULER_NAME, Scheduler } from '#control-plane/scheduler/scheduler.ts'
import { createSchedulerServer } from '#control-plane/scheduler/serving.ts'

type Flags = {
  kubeconfig?: string
  config?: string
  schedulerName: string
  leaderElect: boolean
  leaderElectResourceName: string
  leaderElectResourceNamespace: string
  bindAddress: string
  securePort: string
  tlsCertFile?: string
  tlsPrivateKeyFile?: string
}

const NAME = 'kube-scheduler'
const flags = new Command(NAME)
  .description('Gives each pod a node.')
  .option('--kubeconfig <file>', 'how to reach the API server; a pod uses its service account without it')
  .option('--config <file>', 'configuration files are not supported: the default profile runs')
  .option('--scheduler-name <name>', 'pods with this schedulerName are its own', DEFAULT_SCHEDULER_NAME)
  .option('--leader-elect [boolean]', 'of several schedulers only the holder of the lease works', parseBoolean, true)
  .option('--leader-elect-resource-name <name>', 'name of the lease', NAME)
  .option('--leader-elect-resource-namespace <namespace>', 'namespace of the lease', 'kube-system')
  .option('--bind-address <address>', 'where health and metrics are served', '0.0.0.0')
  .option('--secure-port <number>', 'port of health and metrics; 0 serves none', '10259')
  .option('--tls-cert-file <file>', 'certificate of that port; without it one is made')
  .option('--tls-private-key-file <file>', 'key of that port')
  .parse()
  .opts<Flags>()

/** Without files of one's own the certificate vouches for nothing but keeps the talk private, as upstream's does. */
async function loadCertificate({ clock }: Component): Promise<KeyPair> {
  const { tlsCertFile, tlsPrivateKeyFile } = flags
  if (tlsCertFile !== undefined && tlsPrivateKeyFile !== undefined)
    return {
      certificate: await readFlagFile('tls-cert-file', tlsCertFile),
      privateKey: await readFlagFile('tls-private-key-file', tlsPrivateKeyFile),
    }
  if (tlsCertFile !== undefined) throw new FlagError('--tls-cert-file needs --tls-private-key-file')
  if (tlsPrivateKeyFile !== undefined) throw new FlagError('--tls-private-key-file needs --tls-cert-file')
  const authority = await createAuthority(`${hostname()}-ca`, clock)
  const request = { commonName: hostname(), hosts: [hostname(), 'localhost', '127.0.0.1'], usages: ['server'] as const }
  return issueCertificate(authority, request, clock)
}

await runComponent(NAME, async (signal) => {
  if (flags.config !== undefined)
    throw new FlagError(
      '--config: configuration files are not supported; the default profile runs, with the flags that are given',
    )
  const port = portNumber('secure-port', flags.securePort)
  const component = await connectComponent(NAME, flags.kubeconfig)
  const { schedulerName } = flags
  const metrics = new SchedulerMetrics(schedulerName)
  const events = new ApiEventRecorder({ ...component, component: schedulerName, host: '' })
  const scheduler = new Scheduler({ ...component, events, schedulerName, metrics })
  metrics.watchPendingPods(() => scheduler.pendingPods())
  // A candidate that waits for its turn is ready for it.
  let [isLeading, hasSynced] = [false, false]
  const run = async (running: AbortSignal): Promise<void> => {
    isLeading = true
    const done = scheduler.run(running)
    component.informers.start(running)
    void component.informers.synced().then(() => (hasSynced = true))
    await done
  }
  const tls = await loadCertificate(component)
  if (port !== 0) {
    const isReady = (): boolean => !isLeading || hasSynced
    const server = createSchedulerServer({ ...component, metrics, isReady, tls })
    server.listen(port, flags.bindAddress)
    await once(server, 'listening')
  }
  const [namespace, name] = [flags.leaderElectResourceNamespace, flags.leaderElectResourceName]
  const identity = `${hostname()}_${randomUuid(component.random)}`
  // A leader that lost its lease ends with an error, so that it starts again as a candidate.
  await (flags.leaderElect
    ? runAsLeader({ ...component, namespace, name, identity, events }, run, signal)
    : run(signal))
})
