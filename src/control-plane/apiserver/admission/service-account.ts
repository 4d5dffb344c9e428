/** Gives each pod its service account, the account's pull secrets, and a volume with its token. */
import { randomNameSuffix, type RandomSource } from '#base/random.ts'
import type { Container, Pod, ServiceAccount, Volume } from '#api/core/v1.gen.ts'
import { forbidden } from '#machinery/status-error.ts'
import { unreferencedSecret } from './mountable-secrets.ts'
import { isResource, refuse, type AdmissionPlugin } from './admission.ts'
import type { ClusterReader } from './cluster-reader.ts'

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
/** An hour and seven seconds: kubelets ask for it, and clients that expect an hour have it (upstream's value). */
const TOKEN_SECONDS = 3607

export function createServiceAccountPlugin(cluster: ClusterReader, random: RandomSource): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    async mutate(attributes) {
      if (attributes.operation !== 'CREATE' || !isResource(attributes, 'pods')) return
      const pod = attributes.object as Pod
      if (pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return checkMirrorPod(pod)
      pod.spec.serviceAccountName ||= 'default'
      pod.spec.serviceAccount = pod.spec.serviceAccountName
      const account = await findAccount(cluster, attributes.namespace, pod)
      const wantsToken = pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true
      if (wantsToken) mountToken(pod, random)
      if ((pod.spec.imagePullSecrets?.length ?? 0) === 0 && account.imagePullSecrets !== undefined)
        pod.spec.imagePullSecrets = structuredClone(account.imagePullSecrets)
    },
    async validate(attributes) {
      const { operation, kind, subresource } = attributes
      if (kind.group !== '' || kind.resource !== 'pods') return
      const addsEphemeral = operation === 'UPDATE' && subresource === 'ephemeralcontainers'
      if (!addsEphemeral && (operation !== 'CREATE' || subresource !== '')) return
      const pod = attributes.object as Pod
      if (!addsEphemeral && pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return checkMirrorPod(pod)
      const account = await findAccount(cluster, attributes.namespace, pod)
      const problem = unreferencedSecret(account, pod, addsEphemeral)
      if (problem !== null) throw refuse(attributes, problem)
    },
  }
}

async function findAccount(cluster: ClusterReader, namespace: string, pod: Pod): Promise<ServiceAccount> {
  const name = pod.spec.serviceAccountName!
  const account = await cluster.get<ServiceAccount>('', 'serviceaccounts', namespace, name)
  if (account === null)
    throw forbidden(
      { group: '', resource: 'pods' },
      pod.metadata.name || '',
      `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
    )
  return account
}

/** Static pods exist before any API server: they may name nothing of its. */
function checkMirrorPod(pod: Pod): void {
  const refuseUse = (what: string): never => {
    throw forbidden({ group: '', resource: 'pods' }, pod.metadata.name, `a mirror pod may not ${what}`)
  }
  if (pod.spec.serviceAccountName) refuseUse('reference service accounts')
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.secret !== undefined) refuseUse('reference secrets')
    if (volume.projected?.sources?.some((source) => source.serviceAccountToken !== undefined))
      refuseUse('use ServiceAccountToken volume projections')
  }
}

function mountToken({ spec }: Pod, random: RandomSource): void {
  const open = [...(spec.initContainers ?? []), ...spec.containers].filter((container) => !hasToken(container))
  if (open.length === 0) return
  const name = `kube-api-access-${randomNameSuffix(random)}`
  for (const container of open)
    container.volumeMounts = [...(container.volumeMounts ?? []), { mountPath: TOKEN_PATH, name, readOnly: true }]
  spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
}

const hasToken = ({ volumeMounts = [] }: Container): boolean =>
  volumeMounts.some(({ mountPath }) => mountPath === TOKEN_PATH)

function tokenVolume(name: string): Volume {
  const namespace = { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [namespace] } },
      ],
    },
  }
}
