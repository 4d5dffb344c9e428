/** Evicts a pod as far as the PodDisruptionBudgets that select it allow. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { Eviction, PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/policy/v1.gen.ts'
import type { DeleteOptions } from '#machinery/meta/v1.gen.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { StatusError, badRequest, notFound } from '#machinery/status-error.ts'
import { decodeStored, formatSeconds } from '../../registry/object-writer.ts'
import type { Resource } from '../../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../../request.ts'
import { writeContext, type EndpointContext } from '../context.ts'
import { readWriteParameters } from '../parameters.ts'

/** `kubectl drain` of 1.21 and before sends v1beta1, which outlived the other kinds of that version. */
const EVICTION = {
  group: 'policy',
  version: 'v1',
  kind: 'Eviction',
  schema: 'io.k8s.api.policy.v1.Eviction',
  earlierVersions: ['v1beta1'],
}
/** Pods that were evicted but are still there; beyond it the controller is too far behind to trust. */
const DISRUPTED_PODS_MAX = 2000
const RETRY_SECONDS = 10

export async function handleEviction(
  context: EndpointContext,
  pods: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const parameters = readWriteParameters(request, 'CreateOptions')
  const eviction = context.decodeBody(request, EVICTION, parameters.fieldValidation) as Eviction
  const { info } = request
  if (eviction.metadata.name && eviction.metadata.name !== info.name)
    throw badRequest('name in URL does not match name in Eviction object')
  const stored = await pods.cache.get(pods.keyOf(info.namespace, info.name))
  if (stored === null) throw notFound(pods.groupResource, info.name)
  const pod = decodeStored(pods, stored) as Pod
  const options = (eviction.deleteOptions ?? {}) as DeleteOptions
  const dryRun = parameters.dryRun || (options.dryRun?.length ?? 0) > 0
  if (!mayIgnoreBudgets(pod)) await takeFromBudget(context, request, pod, dryRun)
  if (!dryRun) await markDisrupted(context, pods, request)
  const place = writeContext(context, request, { dryRun, fieldManager: parameters.fieldManager }, { subresource: '' })
  await context.deleter.delete(
    pods,
    { ...options, preconditions: { ...options.preconditions, uid: pod.metadata.uid } },
    place,
  )
  return {
    code: 201,
    body: { form: 'object', object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } },
  }
}

/** Pods that do not serve anybody: finished ones, pending ones, those that are going already. */
function mayIgnoreBudgets({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined || ['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? '')
}

async function takeFromBudget(context: EndpointContext, request: ApiRequest, pod: Pod, dryRun: boolean): Promise<void> {
  const budgets = context.resources.get('policy', 'v1', 'poddisruptionbudgets')
  if (budgets === undefined) return
  const { items } = await budgets.cache.list({ namespace: request.info.namespace })
  const matching = items
    .map((item) => item.object() as PodDisruptionBudget)
    .filter(({ spec }) => spec.selector !== undefined && matcherOf(spec.selector).matches(pod.metadata.labels ?? {}))
  if (matching.length > 1)
    throw new StatusError({
      code: 500,
      reason: '',
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    })
  const [budget] = matching
  if (budget === undefined) return
  const isReady = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  if (!isReady && mayEvictUnready(budget)) return
  const place = writeContext(
    context,
    request,
    { dryRun, fieldManager: 'kube-apiserver' },
    { name: budget.metadata.name, subresource: 'status' },
  )
  await context.writer.update(
    budgets,
    (current) => {
      if (current === null) return { object: budget, unchanged: true }
      return { object: decrement(current as PodDisruptionBudget, pod.metadata.name, context.clock.now()) }
    },
    place,
  )
}

function mayEvictUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return (status?.currentHealthy ?? 0) >= (status?.desiredHealthy ?? 0) && (status?.desiredHealthy ?? 0) > 0
}

function decrement(current: PodDisruptionBudget, podName: string, nowMs: number): PodDisruptionBudget {
  const status = current.status
  if ((status?.observedGeneration ?? 0) < (current.metadata.generation ?? 0))
    throw refuse(
      current,
      `The disruption budget ${current.metadata.name} is still being processed by the server.`,
      true,
    )
  if ((status?.disruptionsAllowed ?? 0) < 0) throw refuse(current, 'pdb disruptions allowed is negative')
  if (Object.keys(status?.disruptedPods ?? {}).length > DISRUPTED_PODS_MAX)
    throw refuse(current, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
  if (status === undefined || (status.disruptionsAllowed ?? 0) === 0)
    throw refuse(
      current,
      `The disruption budget ${current.metadata.name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`,
    )
  const object = structuredClone(current)
  object.status = {
    ...status,
    disruptionsAllowed: (status.disruptionsAllowed ?? 0) - 1,
    disruptedPods: { ...status.disruptedPods, [podName]: formatSeconds(nowMs) },
  }
  setDisruptionAllowed(object.status, nowMs)
  return object
}

function setDisruptionAllowed(status: PodDisruptionBudgetStatus, nowMs: number): void {
  const isAllowed = (status.disruptionsAllowed ?? 0) > 0
  const known = status.conditions?.find(({ type }) => type === 'DisruptionAllowed')
  const others = (status.conditions ?? []).filter((condition) => condition !== known)
  const state = isAllowed ? 'True' : 'False'
  const condition = {
    type: 'DisruptionAllowed',
    status: state,
    observedGeneration: status.observedGeneration ?? 0,
    lastTransitionTime: known?.status === state ? known.lastTransitionTime : formatSeconds(nowMs),
    reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
  }
  status.conditions = [...others, condition]
}

function refuse(_budget: PodDisruptionBudget, why: string, retry = false): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [{ reason: 'DisruptionBudget', message: why }],
      ...(retry ? { retryAfterSeconds: RETRY_SECONDS } : {}),
    },
    ...(retry ? { headers: { 'Retry-After': String(RETRY_SECONDS) } } : {}),
  })
}

/** So that a Job, for one, can tell an eviction from a failure. */
async function markDisrupted(context: EndpointContext, pods: Resource, request: ApiRequest): Promise<void> {
  const place = writeContext(context, request, { dryRun: false, fieldManager: '' }, { subresource: 'status' })
  await context.writer.update(
    pods,
    (current) => {
      if (current === null) throw notFound(pods.groupResource, request.info.name)
      const pod = structuredClone(current) as Pod
      const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget')
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
        lastTransitionTime: formatSeconds(context.clock.now()),
      }
      pod.status = { ...pod.status, conditions: [...others, condition] }
      return { object: pod, ownersAreKnown: true, isOwnChange: true }
    },
    place,
  )
}
