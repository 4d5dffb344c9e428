/** Binds a pod to a node: POST to pods/NAME/binding, or a Binding object posted to the collection. */
import type { Binding, Pod } from '#api/core/v1.gen.ts'
import { notSupportedInOrder, required, type FieldError } from '#machinery/field-error.ts'
import { badRequest, conflict, notFound, StatusError } from '#machinery/status-error.ts'
import { topologyLabelsOf } from '../../admission/pod-topology-labels.ts'
import { formatSeconds } from '../../registry/object-writer.ts'
import type { Resource } from '../../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../../request.ts'
import { admitCreation, writeContext, type EndpointContext } from '../context.ts'
import { readWriteParameters } from '../parameters.ts'

const BINDING = { group: '', version: 'v1', kind: 'Binding', schema: 'io.k8s.api.core.v1.Binding' }

export async function handleBinding(
  context: EndpointContext,
  pods: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const parameters = readWriteParameters(request, 'CreateOptions')
  const binding = context.decodeBody(request, BINDING, parameters.fieldValidation) as Binding
  const name = request.info.name || binding.metadata.name
  if (request.info.name !== '' && binding.metadata.name && binding.metadata.name !== request.info.name)
    throw badRequest('name in URL does not match name in Binding object')
  const { namespace } = request.info
  if (binding.metadata.namespace && binding.metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  const place = writeContext(context, request, parameters, { name, subresource: 'binding' })
  await admitCreation(context, pods, binding, place)
  checkBinding(binding)
  const topology = await topologyLabelsOf(context.cluster, binding.target.name ?? '')
  if (Object.keys(topology).length > 0) binding.metadata.labels = { ...binding.metadata.labels, ...topology }
  await context.writer.update(
    pods,
    (current) => {
      if (current === null) throw notFound(pods.groupResource, name)
      return {
        object: bindPod(pods, current as Pod, binding, context.clock.now()),
        ownersAreKnown: true,
        isOwnChange: true,
      }
    },
    { ...place, isAdmitted: true },
  )
  return {
    code: 201,
    body: { form: 'object', object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } },
  }
}

function checkBinding(binding: Binding): void {
  const errors: FieldError[] = []
  const { kind = '', name = '' } = binding.target
  if (kind !== '' && kind !== 'Node') errors.push(notSupportedInOrder('target.kind', kind, ['Node', '<empty>']))
  if (name === '') errors.push(required('target.name'))
  if (errors.length === 0) return
  // Upstream hands the errors on as they are, for which there is no status but the general one.
  const texts = errors.map(({ field, message }) => `${field}: ${message}`)
  throw new StatusError({ code: 500, reason: '', message: texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]` })
}

/** Throws 409 when the pod is bound already, gated, or being deleted. */
function bindPod(pods: Resource, pod: Pod, binding: Binding, nowMs: number): Pod {
  const { metadata, spec } = pod
  const refuse = (why: string): never => {
    throw conflict({ group: '', resource: 'pods/binding' }, metadata.name, why)
  }
  const { uid } = binding.metadata
  if (uid && uid !== metadata.uid)
    throw conflict(
      pods.groupResource,
      metadata.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`,
    )
  if (metadata.deletionTimestamp !== undefined)
    refuse(`pod ${metadata.name} is being deleted, cannot be assigned to a host`)
  if (spec.nodeName) refuse(`pod ${metadata.name} is already assigned to node "${spec.nodeName}"`)
  if ((spec.schedulingGates?.length ?? 0) > 0) refuse(`pod ${metadata.name} has non-empty .spec.schedulingGates`)
  const object = structuredClone(pod)
  object.spec.nodeName = binding.target.name!
  const annotations = { ...metadata.annotations, ...binding.metadata.annotations }
  if (Object.keys(annotations).length > 0) object.metadata.annotations = annotations
  const labels = { ...metadata.labels, ...binding.metadata.labels }
  if (Object.keys(labels).length > 0) object.metadata.labels = labels
  setScheduled(object, nowMs)
  return object
}

function setScheduled(pod: Pod, nowMs: number): void {
  const status = (pod.status ??= {})
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled')
  const condition = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null as unknown as string,
    lastTransitionTime: formatSeconds(nowMs),
  }
  status.conditions = [...others, condition]
}
