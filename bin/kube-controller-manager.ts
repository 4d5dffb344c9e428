/** The controllers alone, against any API server: `kube-controller-manager --kubeconfig FILE`. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { randomUuid } from '#base/random.ts'
import { untilSignal } from '#base/until-signal.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import { runAsLeader } from '#client/leader-election.ts'
import { connectComponent } from '#cluster/component-process.ts'
import { createCertificateSigner } from '#cluster/certificate-signer.ts'
import { parseControllerManagerFlags, type SigningFiles } from '#cluster/controller-manager-flags.ts'
import { createServiceAccountSigner } from '#cluster/service-account-signer.ts'
import type { CertificateSigner } from '#control-plane/controllers/certificatesigningrequest/certificate-signer.ts'
import { runControllers } from '#control-plane/controllers/controller-manager.ts'

const NAME = 'kube-controller-manager'

const flags = parseControllerManagerFlags(process.argv.slice(2))
const signal = untilSignal()
const component = await connectComponent(NAME, flags.kubeconfig)
const { rootCaFile, serviceAccountPrivateKeyFile, clusterCidr, controllers, nodeLifecycle } = flags
const options = {
  ...(rootCaFile === undefined ? {} : { rootCa: await readFile(rootCaFile, 'utf8') }),
  ...(serviceAccountPrivateKeyFile === undefined
    ? {}
    : { serviceAccountSigner: createServiceAccountSigner(await readFile(serviceAccountPrivateKeyFile, 'utf8')) }),
  ...(clusterCidr === undefined ? {} : { clusterCidr }),
  controllers,
  nodeLifecycle,
  certificateSigning: { signers: await readSigners(flags.signingFiles), durationMsMax: flags.signingDurationMs },
}
const lease = { namespace: 'kube-system', name: NAME, identity: `${hostname()}_${randomUuid(component.random)}` }
const events = new ApiEventRecorder({ ...component, component: NAME, host: '' })
const run = (running: AbortSignal): Promise<void> => runControllers({ ...component, events, signal: running, options })
// A leader that lost its lease ends with an error, so that it starts again as a candidate.
await (flags.leaderElect ? runAsLeader({ ...component, ...lease, events }, run, signal) : run(signal))
process.exit(0)

async function readSigners(files: typeof flags.signingFiles): Promise<Record<string, CertificateSigner>> {
  const read = async ([name, { certFile, keyFile }]: [string, SigningFiles]) => {
    const [certificate, privateKey] = await Promise.all([certFile, keyFile].map((file) => readFile(file, 'utf8')))
    return [name, createCertificateSigner({ certificate: certificate!, privateKey: privateKey! })] as const
  }
  return Object.fromEntries(await Promise.all(Object.entries(files).map(read)))
}
