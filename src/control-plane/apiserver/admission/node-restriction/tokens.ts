/** A kubelet gets tokens of service accounts for the pods on its node, and for the audiences that those pods name. */
import type { TokenRequest } from '#api/authentication/v1.gen.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '#api/core/v1.gen.ts'
import type { CSIDriver } from '#api/storage/v1.gen.ts'
import { refuse, type AdmissionAttributes } from '../admission.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { podOf } from './pods.ts'
import type { NodeRestrictionParts } from './node-restriction.ts'

export async function checkToken(
  parts: NodeRestrictionParts,
  attributes: AdmissionAttributes,
  nodeName: string,
): Promise<void> {
  if (attributes.operation !== 'CREATE' || attributes.subresource !== 'token') return
  const { boundObjectRef, audiences } = (attributes.object as unknown as TokenRequest).spec
  const { apiVersion, kind, name = '', uid = '' } = boundObjectRef ?? {}
  if (apiVersion !== 'v1' || kind !== 'Pod' || name === '')
    throw refuse(attributes, 'node requested token not bound to a pod')
  if (uid === '') throw refuse(attributes, 'node requested token with a pod binding without a uid')
  const pod = await podOf(parts.cluster, attributes, name)
  if (uid !== pod.metadata.uid)
    throw refuse(
      attributes,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  if (pod.spec.nodeName !== nodeName)
    throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node')
  await checkAudience(parts, attributes, pod, audiences ?? [])
}

async function checkAudience(
  { cluster, authorizer }: NodeRestrictionParts,
  attributes: AdmissionAttributes,
  pod: Pod,
  audiences: readonly string[],
): Promise<void> {
  if (audiences.length > 1) throw refuse(attributes, 'node may only request 0 or 1 audiences')
  const audience = audiences[0] ?? ''
  const found = await findAudience(cluster, pod, audience)
  if (found.isNamed) return
  if (found.problems.length > 0)
    throw refuse(attributes, `error validating audience ${JSON.stringify(audience)}: ${joinErrors(found.problems)}`)
  const { user, namespace, name } = attributes
  const { verdict } = await authorizer.authorize({
    user,
    verb: 'request-serviceaccounts-token-audience',
    isResourceRequest: true,
    namespace,
    group: '',
    version: 'v1',
    resource: audience,
    subresource: '',
    name,
    path: '',
  })
  if (verdict !== 'allow')
    throw refuse(
      attributes,
      `${user.name} is not authorized to request tokens for audience ${JSON.stringify(audience)}`,
    )
}

const joinErrors = (texts: readonly string[]): string => (texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`)

type Found = { readonly isNamed: boolean; readonly problems: readonly string[] }

/** By a projected token, or by the driver of one of the pod's volumes. */
async function findAudience(cluster: ClusterReader, pod: Pod, audience: string): Promise<Found> {
  const problems = new Set<string>()
  for (const volume of pod.spec.volumes ?? []) {
    const tokens = (volume.projected?.sources ?? []).flatMap(({ serviceAccountToken }) => serviceAccountToken ?? [])
    if (tokens.some((token) => (token.audience ?? '') === audience)) return { isNamed: true, problems: [] }
    try {
      const driver = await driverOf(cluster, pod, volume)
      if (driver !== '' && (await hasAudience(cluster, driver, audience))) return { isNamed: true, problems: [] }
    } catch (error) {
      if (!(error instanceof MissingObject)) throw error
      problems.add(error.message)
    }
  }
  return { isNamed: false, problems: [...problems] }
}

class MissingObject extends Error {}

async function existing<T>(object: Promise<T | null>, what: string, name: string): Promise<T> {
  const found = await object
  if (found === null) throw new MissingObject(`${what} ${JSON.stringify(name)} not found`)
  return found
}

async function driverOf(cluster: ClusterReader, { metadata }: Pod, volume: Volume): Promise<string> {
  const isEphemeral = volume.ephemeral?.volumeClaimTemplate !== undefined
  const claimName = isEphemeral ? `${metadata.name}-${volume.name}` : volume.persistentVolumeClaim?.claimName
  if (claimName === undefined) return volume.csi?.driver ?? ''
  const wantedClaim = cluster.get<PersistentVolumeClaim>('', 'persistentvolumeclaims', metadata.namespace!, claimName)
  const { spec } = await existing(wantedClaim, 'persistentvolumeclaim', claimName)
  const { volumeName = '' } = spec
  const wantedVolume = cluster.get<PersistentVolume>('', 'persistentvolumes', '', volumeName)
  return (await existing(wantedVolume, 'persistentvolume', volumeName)).spec?.csi?.driver ?? ''
}

async function hasAudience(cluster: ClusterReader, driver: string, audience: string): Promise<boolean> {
  const wanted = cluster.get<CSIDriver>('storage.k8s.io', 'csidrivers', '', driver)
  const { spec } = await existing(wanted, 'csidriver.storage.k8s.io', driver)
  return (spec.tokenRequests ?? []).some((request) => request.audience === audience)
}
