/** The scheduler alone, against any API server: `kube-scheduler --kubeconfig FILE`. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { parseArgs } from 'node:util'
import { randomUuid } from '#base/random.ts'
import { untilSignal } from '#base/until-signal.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import { runAsLeader } from '#client/leader-election.ts'
import { createAuthority, issueCertificate, type KeyPair } from '#cluster/certificates/authority.ts'
import { connectComponent } from '#cluster/component-process.ts'
import { SchedulerMetrics } from '#control-plane/scheduler/metrics.ts'
import { DEFAULT_SCHEDULER_NAME, Scheduler } from '#control-plane/scheduler/scheduler.ts'
import { createSchedulerServer } from '#control-plane/scheduler/serving.ts'

const NAME = 'kube-scheduler'

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    config: { type: 'string' },
    'scheduler-name': { type: 'string', default: DEFAULT_SCHEDULER_NAME },
    'leader-elect': { type: 'boolean', default: true },
    'leader-elect-resource-name': { type: 'string', default: NAME },
    'leader-elect-resource-namespace': { type: 'string', default: 'kube-system' },
    'bind-address': { type: 'string', default: '0.0.0.0' },
    'secure-port': { type: 'string', default: '10259' },
    'tls-cert-file': { type: 'string' },
    'tls-private-key-file': { type: 'string' },
  },
  allowNegative: true,
})
if (values.config !== undefined) {
  console.error(
    '--config: configuration files are not supported; the default profile runs, with the flags that are given',
  )
  process.exit(1)
}
for (const [given, missing] of [
  ['tls-cert-file', 'tls-private-key-file'],
  ['tls-private-key-file', 'tls-cert-file'],
] as const)
  if (values[given] !== undefined && values[missing] === undefined) {
    console.error(`--${given} needs --${missing}`)
    process.exit(1)
  }

const signal = untilSignal()
const component = await connectComponent(NAME, values.kubeconfig)
const schedulerName = values['scheduler-name']
const metrics = new SchedulerMetrics(schedulerName)
const events = new ApiEventRecorder({ ...component, component: schedulerName, host: '' })
const scheduler = new Scheduler({ ...component, events, schedulerName, metrics })
metrics.watchPendingPods(() => scheduler.pendingPods())
/** A candidate that waits for its turn is ready for it. */
let [isLeading, hasSynced] = [false, false]

/** Without files of one's own the certificate vouches for nothing but keeps the talk private, as upstream's does. */
async function loadCertificate(): Promise<KeyPair> {
  const [certificate, privateKey] = [values['tls-cert-file'], values['tls-private-key-file']]
  if (certificate !== undefined && privateKey !== undefined)
    return { certificate: await readFile(certificate, 'utf8'), privateKey: await readFile(privateKey, 'utf8') }
  const authority = await createAuthority(`${hostname()}-ca`, component.clock)
  const request = { commonName: hostname(), hosts: [hostname(), 'localhost', '127.0.0.1'], usages: ['server'] as const }
  return issueCertificate(authority, request, component.clock)
}

async function serve(port: number): Promise<void> {
  const isReady = (): boolean => !isLeading || hasSynced
  const server = createSchedulerServer({ ...component, metrics, isReady, tls: await loadCertificate() })
  server.listen(port, values['bind-address'])
  await once(server, 'listening')
}

async function run(running: AbortSignal): Promise<void> {
  isLeading = true
  const done = scheduler.run(running)
  component.informers.start(running)
  void component.informers.synced().then(() => (hasSynced = true))
  await done
}

const port = Number(values['secure-port'])
if (port !== 0) await serve(port)
const [namespace, name] = [values['leader-elect-resource-namespace'], values['leader-elect-resource-name']]
const identity = `${hostname()}_${randomUuid(component.random)}`
// A leader that lost its lease ends with an error, so that it starts again as a candidate.
await (values['leader-elect']
  ? runAsLeader({ ...component, namespace, name, identity, events }, run, signal)
  : run(signal))
process.exit(0)
