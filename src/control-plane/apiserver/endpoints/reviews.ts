/** Kinds that are answered and never stored: who am I, who is this, may this be done. */
import type { SelfSubjectReview, TokenReview } from '#api/authentication/v1.gen.ts'
import type { SelfSubjectRulesReview, SubjectAccessReview } from '#api/authorization/v1.gen.ts'
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { invalidFrom } from '#machinery/field-error.ts'
import { recordUpdate } from '#machinery/field-ownership/record-update.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import { badRequest } from '#machinery/status-error.ts'
import type { Attributes } from '../authorization/authorizer.ts'
import type { ApiRequest, ApiResponse, UserInfo } from '../request.ts'
import { writeContext, type EndpointContext } from './context.ts'
import { readWriteParameters } from './parameters.ts'

export async function handleReview(
  context: EndpointContext,
  kind: KindDefinition,
  request: ApiRequest,
): Promise<ApiResponse> {
  const parameters = readWriteParameters(request, 'CreateOptions')
  const object = context.decodeBody(request, kind, parameters.fieldValidation)
  const { namespace } = request.info
  if (kind.namespaced) object.metadata.namespace ||= namespace
  kind.strategy.setDefaults?.(object)
  const owners = recordUpdate({
    schema: schemaOf(kind.schema),
    apiVersion: formatApiVersion(kind),
    kind: kind.kind,
    live: null,
    updated: object,
    manager: parameters.fieldManager,
    subresource: '',
    nowMs: context.clock.now(),
  })
  if (owners !== undefined) object.metadata.managedFields = owners
  const strategyContext = writeContext(context, request, parameters).strategy
  kind.strategy.prepareForCreate?.(object, strategyContext)
  const errors = kind.strategy.validate?.(object, strategyContext) ?? []
  if (errors.length > 0) throw invalidFrom(kind, object.metadata.name ?? '', errors)
  const answer = await answerReview(context, kind, object, request)
  return { code: 201, body: { form: 'object', object: normalize(schemaOf(kind.schema), answer as object) } }
}

async function answerReview(
  context: EndpointContext,
  kind: KindDefinition,
  object: KubernetesObject,
  request: ApiRequest,
): Promise<unknown> {
  const { user } = request
  switch (kind.kind) {
    case 'SelfSubjectReview':
      return {
        ...object,
        metadata: { ...object.metadata, creationTimestamp: now(context) },
        status: { userInfo: toUserInfo(user) },
      } satisfies Partial<SelfSubjectReview>
    case 'TokenReview':
      return reviewToken(context, object as unknown as TokenReview)
    case 'SelfSubjectRulesReview':
      return reviewRules(context, object as unknown as SelfSubjectRulesReview, user)
    case 'SelfSubjectAccessReview':
      return reviewAccess(context, object as unknown as SubjectAccessReview, user)
    default:
      return reviewAccess(
        context,
        object as unknown as SubjectAccessReview,
        subjectOf(object as unknown as SubjectAccessReview),
      )
  }
}

const now = (context: EndpointContext): string => new Date(context.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')

function toUserInfo({ name, uid, groups, extra }: UserInfo) {
  const hasExtra = Object.keys(extra).length > 0
  return {
    username: name,
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(hasExtra
      ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }
      : {}),
  }
}

async function reviewToken(context: EndpointContext, review: TokenReview): Promise<TokenReview> {
  const token = review.spec.token ?? ''
  if (token === '') throw badRequest('token is required for TokenReview in authentication')
  try {
    const known = await context.dependencies.tokens.authenticateToken(token, review.spec.audiences ?? [])
    if (known === null) return { ...review, status: { user: {}, authenticated: false } }
    return {
      ...review,
      status: {
        authenticated: true,
        user: toUserInfo(known.user),
        ...(known.audiences.length === 0 ? {} : { audiences: [...known.audiences] }),
      },
    }
  } catch (error) {
    return { ...review, status: { user: {}, authenticated: false, error: (error as Error).message } }
  }
}

function subjectOf({ spec }: SubjectAccessReview): UserInfo {
  return { name: spec.user ?? '', uid: spec.uid ?? '', groups: spec.groups ?? [], extra: spec.extra ?? {} }
}

async function reviewAccess(
  context: EndpointContext,
  review: SubjectAccessReview,
  user: UserInfo,
): Promise<SubjectAccessReview> {
  const decision = await context.dependencies.authorizer.authorize(attributesOf(review, user))
  return {
    ...review,
    status: {
      allowed: decision.verdict === 'allow',
      ...(decision.verdict === 'deny' ? { denied: true } : {}),
      ...(decision.reason === '' ? {} : { reason: decision.reason }),
    },
  }
}

function attributesOf({ spec }: SubjectAccessReview, user: UserInfo): Attributes {
  const resource = spec.resourceAttributes
  if (resource !== undefined)
    return {
      user,
      verb: resource.verb ?? '',
      isResourceRequest: true,
      namespace: resource.namespace ?? '',
      group: resource.group ?? '',
      version: resource.version ?? '',
      resource: resource.resource ?? '',
      subresource: resource.subresource ?? '',
      name: resource.name ?? '',
      path: '',
    }
  const { path = '', verb = '' } = spec.nonResourceAttributes ?? {}
  return {
    user,
    verb,
    isResourceRequest: false,
    namespace: '',
    group: '',
    version: '',
    resource: '',
    subresource: '',
    name: '',
    path,
  }
}

async function reviewRules(
  context: EndpointContext,
  review: SelfSubjectRulesReview,
  user: UserInfo,
): Promise<SelfSubjectRulesReview> {
  const namespace = review.spec.namespace ?? ''
  if (namespace === '') throw badRequest('no namespace on request')
  const { rules, incomplete, errors } = await context.dependencies.authorizer.rulesFor(user, namespace)
  const resourceRules = rules
    .filter((rule) => (rule.resources ?? []).length > 0)
    .map(({ verbs, apiGroups = [], resources = [], resourceNames = [] }) => ({
      verbs: [...verbs],
      apiGroups: [...apiGroups],
      resources: [...resources],
      ...(resourceNames.length === 0 ? {} : { resourceNames: [...resourceNames] }),
    }))
  const nonResourceRules = rules
    .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
    .map(({ verbs, nonResourceURLs = [] }) => ({ verbs: [...verbs], nonResourceURLs: [...nonResourceURLs] }))
  return {
    ...review,
    status: {
      resourceRules,
      nonResourceRules,
      incomplete,
      ...(errors.length === 0 ? {} : { evaluationError: errors.join(', ') }),
    },
  }
}
