/** Evicts a pod as far as the PodDisruptionBudgets that select it allow. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { Eviction, PodDisruptionBudget } from '#api/policy/v1.gen.ts'
import { invalidFrom, invalidValue } from '#machinery/field-error.ts'
import type { DeleteOptions } from '#machinery/meta/v1.gen.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import { StatusError, badRequest, conflict, isConflict, notFound } from '#machinery/status-error.ts'
import { decodeStored, formatSeconds } from '../../registry/object-writer.ts'
import type { Resource } from '../../registry/resource.ts'
import type { WriteContext } from '../../registry/write-context.ts'
import type { ApiRequest, ApiResponse } from '../../request.ts'
import { admitCreation, writeContext, type EndpointContext } from '../context.ts'
import { readWriteParameters } from '../parameters.ts'
import { decrementBudget, mayEvictUnready, mayIgnoreBudgets, mayStillServe, stillProcessed } from './eviction-budget.ts'

/** `kubectl drain` of 1.21 and before sends v1beta1, which outlived the other kinds of that version. */
const EVICTION = {
  group: 'policy',
  version: 'v1',
  kind: 'Eviction',
  schema: 'io.k8s.api.policy.v1.Eviction',
  earlierVersions: ['v1beta1'],
}
/** Upstream's EvictionsRetry. */
const [TRIES_MAX, RETRY_MS] = [20, 500]

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

/** One eviction on its way. */
type Evicting = {
  readonly context: EndpointContext
  readonly pods: Resource
  readonly request: ApiRequest
  /** What the client said about the deletion. */
  readonly options: DeleteOptions
  /** Of the pod; admission has seen the eviction. */
  readonly place: WriteContext
}

export async function handleEviction(
  context: EndpointContext,
  pods: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const parameters = readWriteParameters(request, 'CreateOptions')
  const eviction = context.decodeBody(request, EVICTION, parameters.fieldValidation) as Eviction
  const { name } = request.info
  if ((eviction.metadata.name ?? '') !== name) throw badRequest('name in URL does not match name in Eviction object')
  const options = (eviction.deleteOptions ?? {}) as DeleteOptions
  const place = { ...writeContext(context, request, parameters), dryRun: isRehearsal(parameters.dryRun, options) }
  await admitCreation(context, pods, eviction, place)
  if (options.ignoreStoreReadErrorWithClusterBreakingPotential === true) throw unsafe(name)
  await evict({ context, pods, request, options, place: { ...place, subresource: '', isAdmitted: true } })
  return { code: 201, body: { form: 'object', object: SUCCESS } }
}

const isRehearsal = (isAsked: boolean, { dryRun }: DeleteOptions): boolean => isAsked || (dryRun?.length ?? 0) > 0

function unsafe(name: string): StatusError {
  const field = 'deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential'
  const why = 'can not be set for pod eviction, try after removing the option'
  return invalidFrom({ group: 'policy', kind: 'Eviction' }, name, [invalidValue(field, true, why)])
}

async function evict(evicting: Evicting): Promise<void> {
  const isVersionAsked = evicting.options.preconditions?.resourceVersion !== undefined
  for (let attempt = 1; ; attempt++) {
    const pod = await readPod(evicting)
    if (!mayIgnoreBudgets(pod)) return evictServing(evicting, pod)
    const { resourceVersion } = pod.metadata
    try {
      return await markAndDelete(evicting, mayStillServe(pod) && !isVersionAsked ? resourceVersion : undefined)
    } catch (error) {
      if (!isConflict(error) || isVersionAsked || attempt >= TRIES_MAX) throw error
      await evicting.context.clock.sleep(RETRY_MS, evicting.request.signal)
    }
  }
}

async function readPod({ pods, request }: Evicting): Promise<Pod> {
  const { namespace, name } = request.info
  const stored = await pods.cache.get(pods.keyOf(namespace, name))
  if (stored === null) throw notFound(pods.groupResource, name)
  return decodeStored(pods, stored) as Pod
}

async function evictServing(evicting: Evicting, pod: Pod): Promise<void> {
  const budget = await findBudget(evicting, pod)
  if (budget === null) return markAndDelete(evicting)
  if (isReady(pod) || !mayEvictUnready(budget)) {
    await takeFromBudget(evicting, budget, pod.metadata.name)
    return markAndDelete(evicting)
  }
  try {
    await markAndDelete(evicting, pod.metadata.resourceVersion)
  } catch (error) {
    // It has changed, and may be ready now: then the budget has to be asked.
    const isOurs = evicting.options.preconditions?.resourceVersion === undefined
    throw isConflict(error) && isOurs ? stillProcessed(budget.metadata.name) : error
  }
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false

async function findBudget({ context, request }: Evicting, pod: Pod): Promise<PodDisruptionBudget | null> {
  const budgets = context.resources.get('policy', 'v1', 'poddisruptionbudgets')
  if (budgets === undefined) return null
  const { items } = await budgets.cache.list({ namespace: request.info.namespace })
  const labels = pod.metadata.labels ?? {}
  const matching = items
    .map((item) => item.object() as PodDisruptionBudget)
    .filter(({ spec }) => spec.selector !== undefined && matcherOf(spec.selector).matches(labels))
  if (matching.length > 1)
    throw new StatusError({
      code: 500,
      reason: '',
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    })
  return matching[0] ?? null
}

async function takeFromBudget(evicting: Evicting, budget: PodDisruptionBudget, podName: string): Promise<void> {
  const { context, request, place } = evicting
  const budgets = context.resources.get('policy', 'v1', 'poddisruptionbudgets')!
  const { name } = budget.metadata
  const own = { dryRun: place.dryRun, fieldManager: 'kube-apiserver' }
  const budgetPlace = writeContext(context, request, own, { name, subresource: 'status' })
  await context.writer.update(
    budgets,
    (current) => {
      if (current === null) throw notFound(budgets.groupResource, name)
      return { object: decrementBudget(current as PodDisruptionBudget, podName, context.clock.now()) }
    },
    { ...budgetPlace, isAdmitted: true },
  )
}

/** `resourceVersion`: only if the pod is still this one. */
async function markAndDelete(evicting: Evicting, resourceVersion?: string): Promise<void> {
  const { context, pods, options, place } = evicting
  const preconditions = { ...options.preconditions, ...(resourceVersion === undefined ? {} : { resourceVersion }) }
  if (!place.dryRun) {
    const marked = await markDisrupted(evicting, preconditions)
    if (preconditions.resourceVersion !== undefined) preconditions.resourceVersion = marked
  }
  await context.deleter.delete(pods, { ...options, preconditions }, place)
}

/** So that a Job, for one, can tell an eviction from a failure. The version that it makes. */
async function markDisrupted(
  { context, pods, place }: Evicting,
  preconditions: NonNullable<DeleteOptions['preconditions']>,
): Promise<string> {
  const { object } = await context.writer.update(
    pods,
    (current) => {
      if (current === null) throw notFound(pods.groupResource, place.name)
      checkPreconditions(current as Pod, preconditions)
      const pod = withDisruption(current as Pod, formatSeconds(context.clock.now()))
      return { object: pod, ownersAreKnown: true, isOwnChange: true }
    },
    place,
  )
  return object.metadata.resourceVersion!
}

function checkPreconditions(
  { metadata }: Pod,
  { uid, resourceVersion }: NonNullable<DeleteOptions['preconditions']>,
): void {
  const refuse = (why: string): StatusError => conflict({ group: '', resource: 'Pod' }, metadata.name, why)
  if (uid && uid !== metadata.uid)
    throw refuse(
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  if (resourceVersion && resourceVersion !== metadata.resourceVersion)
    throw refuse(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
}

/** `pod` is ours to change. */
function withDisruption(pod: Pod, now: string): Pod {
  const conditions = pod.status?.conditions ?? []
  const index = conditions.findIndex(({ type }) => type === 'DisruptionTarget')
  const isKnown = conditions[index]?.status === 'True'
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: isKnown ? conditions[index]!.lastTransitionTime! : now,
  }
  const next = index < 0 ? [...conditions, condition] : conditions.with(index, condition)
  pod.status = { ...pod.status, conditions: next }
  return pod
}
