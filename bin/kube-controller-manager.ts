/** The controllers alone, against any API server: `kube-controller-manager --kubeconfig FILE`. */
import { hostname } from 'node:os'
import { randomUuid } from '#base/random.ts'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import { runAsLeader } from '#client/leader-election.ts'
import { createCertificateSigner } from '#cluster/certificate-signer.ts'
import { connectComponent, runComponent } from '#cluster/component-process.ts'
import {
  parseControllerManagerFlags,
  type ControllerManagerFlags,
  type SigningFiles,
} from '#cluster/controller-manager-flags.ts'
import { readFlagFile, usingFlag } from '#cluster/flags.ts'
import { createServiceAccountSigner } from '#cluster/service-account-signer.ts'
import type { CertificateSigner } from '#control-plane/controllers/certificatesigningrequest/certificate-signer.ts'
import type { ControllerOptions } from '#control-plane/controllers/controller.ts'
import { runControllers } from '#control-plane/controllers/controller-manager.ts'

const NAME = 'kube-controller-manager'

await runComponent(NAME, async (signal) => {
  const flags = parseControllerManagerFlags(process.argv.slice(2))
  const options = await readOptions(flags)
  const component = await connectComponent(NAME, flags.kubeconfig)
  const lease = { namespace: 'kube-system', name: NAME, identity: `${hostname()}_${randomUuid(component.random)}` }
  const events = new ApiEventRecorder({ ...component, component: NAME, host: '' })
  const run = (running: AbortSignal): Promise<void> =>
    runControllers({ ...component, events, signal: running, options })
  // A leader that lost its lease ends with an error, so that it starts again as a candidate.
  await (flags.leaderElect ? runAsLeader({ ...component, ...lease, events }, run, signal) : run(signal))
})

async function readOptions(flags: ControllerManagerFlags): Promise<ControllerOptions> {
  const { rootCaFile, serviceAccountPrivateKeyFile: keyFile, clusterCidr, controllers, nodeLifecycle } = flags
  const key = keyFile === undefined ? null : await readFlagFile('service-account-private-key-file', keyFile)
  return {
    ...(rootCaFile === undefined ? {} : { rootCa: await readFlagFile('root-ca-file', rootCaFile) }),
    ...(key === null
      ? {}
      : {
          serviceAccountSigner: usingFlag('service-account-private-key-file', () => createServiceAccountSigner(key)),
        }),
    ...(clusterCidr === undefined ? {} : { clusterCidr }),
    controllers,
    nodeLifecycle,
    certificateSigning: { signers: await readSigners(flags.signingFiles), durationMsMax: flags.signingDurationMs },
  }
}

async function readSigners(files: ControllerManagerFlags['signingFiles']): Promise<Record<string, CertificateSigner>> {
  const read = async ([name, { flag, certFile, keyFile }]: [string, SigningFiles]) => {
    const certificate = await readFlagFile(`${flag}-cert-file`, certFile)
    const privateKey = await readFlagFile(`${flag}-key-file`, keyFile)
    return [name, usingFlag(`${flag}-cert-file`, () => createCertificateSigner({ certificate, privateKey }))] as const
  }
  return Object.fromEntries(await Promise.all(Object.entries(files).map(read)))
}
