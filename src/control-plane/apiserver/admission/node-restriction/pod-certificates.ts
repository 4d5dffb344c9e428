/** A kubelet asks for certificates of the pods that run on its node, under the identity that they really have. */
import type { PodCertificateRequest } from '#api/certificates/v1.gen.ts'
import type { Node, Pod, ServiceAccount } from '#api/core/v1.gen.ts'
import { StatusError } from '#machinery/status-error.ts'
import { refuse, type AdmissionAttributes } from '../admission.ts'
import type { NodeRestrictionParts } from './node-restriction.ts'

type Check = { readonly parts: NodeRestrictionParts; readonly attributes: AdmissionAttributes }
type Request = PodCertificateRequest['spec']

export async function checkPodCertificateRequest(
  parts: NodeRestrictionParts,
  attributes: AdmissionAttributes,
  nodeName: string,
): Promise<void> {
  const { operation, subresource } = attributes
  if (operation !== 'CREATE') throw refuse(attributes, `unexpected operation ${operation}`)
  if (subresource !== '') throw refuse(attributes, `unexpected subresource ${subresource}`)
  const { spec } = attributes.object as PodCertificateRequest
  const check = { parts, attributes }
  await checkNode(check, spec, nodeName)
  const pod = await checkPod(check, spec)
  await checkAccount(check, spec)
  await checkSigner(check, pod, spec)
}

const quote = (text: string): string => JSON.stringify(text)
const podKey = ({ attributes }: Check, { podName }: Request): string => quote(`${attributes.namespace}/${podName}`)

/** Not a refusal: what the kubelet knows may be newer than what is known here, so it may try again. */
const unclear = (message: string): StatusError => new StatusError({ code: 500, reason: '', message })

async function checkNode({ parts, attributes }: Check, request: Request, nodeName: string): Promise<void> {
  const named = quote(request.nodeName)
  if (request.nodeName !== nodeName)
    throw refuse(
      attributes,
      `PodCertificateRequest.Spec.NodeName=${named}, which is not the requesting node ${quote(nodeName)}`,
    )
  const node = await parts.cluster.get<Node>('', 'nodes', '', nodeName)
  if (node === null)
    throw unclear(`while retrieving node ${named} named in the PodCertificateRequest: node ${named} not found`)
  if (node.metadata.uid !== request.nodeUID)
    throw unclear(
      `PodCertificateRequest for pod ${quote(`${attributes.namespace}/${request.podName}`)} names node UID ${quote(request.nodeUID)}, inconsistent with the running node (${quote(node.metadata.uid)})`,
    )
}

async function checkPod(check: Check, request: Request): Promise<Pod> {
  const { parts, attributes } = check
  const key = podKey(check, request)
  const pod = await parts.cluster.get<Pod>('', 'pods', attributes.namespace, request.podName)
  if (pod === null)
    throw unclear(
      `while retrieving pod ${key} named in the PodCertificateRequest: pod ${quote(request.podName)} not found`,
    )
  if (request.podUID !== pod.metadata.uid)
    throw unclear(
      `PodCertificateRequest for pod ${key} contains pod UID (${quote(request.podUID)}) which differs from running pod ${quote(pod.metadata.uid)}`,
    )
  if (pod.spec.nodeName !== request.nodeName)
    throw refuse(
      attributes,
      `pod ${key} is not running on node ${quote(request.nodeName)} named in the PodCertificateRequest`,
    )
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined)
    throw refuse(attributes, `pod ${key} is a mirror pod`)
  const own = pod.spec.serviceAccountName ?? ''
  if (request.serviceAccountName !== own)
    throw refuse(
      attributes,
      `PodCertificateRequest for pod ${key} contains serviceAccountName (${quote(request.serviceAccountName)}) that differs from running pod (${quote(own)})`,
    )
  return pod
}

async function checkAccount(check: Check, request: Request): Promise<void> {
  const { parts, attributes } = check
  const name = request.serviceAccountName
  const account = await parts.cluster.get<ServiceAccount>('', 'serviceaccounts', attributes.namespace, name)
  if (account === null)
    throw unclear(
      `while retrieving service account ${quote(`${attributes.namespace}/${name}`)} named in the PodCertificateRequest: serviceaccount ${quote(name)} not found`,
    )
  if (request.serviceAccountUID !== account.metadata.uid)
    throw unclear(
      `PodCertificateRequest for pod ${podKey(check, request)} names service account UID ${quote(request.serviceAccountUID)}, which differs from the running service account (${quote(account.metadata.uid)})`,
    )
}

/** The pod itself asks for it, or somebody has granted it to the node. */
async function checkSigner(check: Check, { spec }: Pod, request: Request): Promise<void> {
  const { parts, attributes } = check
  const { signerName, serviceAccountName } = request
  const sources = (spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? [])
  if (sources.some(({ podCertificate }) => podCertificate?.signerName === signerName)) return
  const { verdict } = await parts.authorizer.authorize({
    user: attributes.user,
    verb: 'request-serviceaccounts-podcertificate-signer',
    isResourceRequest: true,
    namespace: attributes.namespace,
    group: attributes.kind.group,
    version: attributes.kind.version,
    // Rules cannot name resources with slashes.
    resource: signerName.replaceAll('/', ':'),
    subresource: '',
    name: serviceAccountName,
    path: '',
  })
  if (verdict !== 'allow')
    throw refuse(
      attributes,
      `pod ${podKey(check, request)} does not mount a podCertificate projected volume for signer ${quote(signerName)}`,
    )
}
