/** The controllers alone, against any API server: `kube-controller-manager --kubeconfig FILE`. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { parseArgs } from 'node:util'
import { randomUuid } from '#base/random.ts'
import { untilSignal } from '#base/until-signal.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import { runAsLeader } from '#client/leader-election.ts'
import { connectComponent } from '#cluster/component-process.ts'
import { createServiceAccountSigner } from '#cluster/service-account-signer.ts'
import { runControllers } from '#control-plane/controllers/controller-manager.ts'

const NAME = 'kube-controller-manager'

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    'leader-elect': { type: 'boolean', default: true },
    'cluster-cidr': { type: 'string' },
    'root-ca-file': { type: 'string' },
    'service-account-private-key-file': { type: 'string' },
    controllers: { type: 'string', default: '*' },
  },
  allowNegative: true,
})
const signal = untilSignal()
const component = await connectComponent(NAME, values.kubeconfig)
const rootCaFile = values['root-ca-file']
const signingKeyFile = values['service-account-private-key-file']
const clusterCidr = values['cluster-cidr']
const options = {
  ...(rootCaFile === undefined ? {} : { rootCa: await readFile(rootCaFile, 'utf8') }),
  ...(signingKeyFile === undefined
    ? {}
    : { serviceAccountSigner: createServiceAccountSigner(await readFile(signingKeyFile, 'utf8')) }),
  ...(clusterCidr === undefined ? {} : { clusterCidr }),
  controllers: values.controllers.split(','),
}
const lease = { namespace: 'kube-system', name: NAME, identity: `${hostname()}_${randomUuid(component.random)}` }
const events = new ApiEventRecorder({ ...component, component: NAME, host: '' })
const run = (running: AbortSignal): Promise<void> => runControllers({ ...component, events, signal: running, options })
// A leader that lost its lease ends with an error, so that it starts again as a candidate.
await (values['leader-elect'] ? runAsLeader({ ...component, ...lease, events }, run, signal) : run(signal))
process.exit(0)
