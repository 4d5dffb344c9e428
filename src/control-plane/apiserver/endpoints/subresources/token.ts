/** Issues a token of a service account (TokenRequest). */
import type { TokenRequest } from '#api/authentication/v1.gen.ts'
import type { Pod, ServiceAccount } from '#api/core/v1.gen.ts'
import { invalidFrom, invalidValue, type FieldError } from '#machinery/field-error.ts'
import { recordUpdate } from '#machinery/field-ownership/record-update.ts'
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { badRequest, conflict, notFound } from '#machinery/status-error.ts'
import type { BoundObject } from '../../authentication/token-authenticator.ts'
import { decodeStored, formatSeconds } from '../../registry/object-writer.ts'
import type { Resource } from '../../registry/resource.ts'
import type { ApiRequest, ApiResponse } from '../../request.ts'
import { admitCreation, writeContext, type EndpointContext } from '../context.ts'
import { readWriteParameters } from '../parameters.ts'

const TOKEN_REQUEST = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  schema: 'io.k8s.api.authentication.v1.TokenRequest',
}
const API_VERSION = 'authentication.k8s.io/v1'
const SECONDS_DEFAULT = 3600
const SECONDS_MIN = 600
const SECONDS_MAX = 2 ** 32
const BINDABLE: Readonly<Record<string, string>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }

export async function handleTokenRequest(
  context: EndpointContext,
  accounts: Resource,
  request: ApiRequest,
): Promise<ApiResponse> {
  const parameters = readWriteParameters(request, 'CreateOptions')
  const wanted = context.decodeBody(request, TOKEN_REQUEST, parameters.fieldValidation) as unknown as TokenRequest
  const { info } = request
  const sentName = wanted.metadata.name ?? ''
  checkPlace(wanted, info.namespace, info.name)
  const stored = await accounts.cache.get(accounts.keyOf(info.namespace, info.name))
  if (stored === null) throw notFound(accounts.groupResource, info.name)
  const account = decodeStored(accounts, stored) as ServiceAccount
  await admitCreation(
    context,
    accounts,
    wanted as unknown as KubernetesObject,
    writeContext(context, request, parameters),
  )
  const { tokenSecondsMax, apiAudiences } = context.dependencies.settings
  const asked = wanted.spec.expirationSeconds ?? SECONDS_DEFAULT
  checkSpec(wanted.spec, asked, sentName)
  const seconds = Math.min(asked, tokenSecondsMax ?? asked)
  const bound = await findBound(context, wanted, info.namespace, info.name)
  const issued = await context.dependencies.tokens.issueToken({
    serviceAccount: { namespace: info.namespace, name: info.name, uid: account.metadata.uid },
    audiences: wanted.spec.audiences ?? [],
    expirationSeconds: seconds,
    ...(bound === null ? {} : { boundObject: bound.reference }),
    ...(bound?.node === undefined ? {} : { node: bound.node }),
  })
  const spec = {
    ...wanted.spec,
    audiences: wanted.spec.audiences?.length ? wanted.spec.audiences : [...apiAudiences],
    expirationSeconds: seconds,
  }
  const { name, namespace } = account.metadata
  const metadata = {
    ...wanted.metadata,
    name,
    namespace,
    uid: account.metadata.uid,
    creationTimestamp: formatSeconds(context.clock.now()),
    managedFields: ownersOf(context, wanted, seconds, parameters.fieldManager),
  }
  const status = { token: issued.token, expirationTimestamp: issued.expirationTimestamp }
  const object = { kind: 'TokenRequest', apiVersion: API_VERSION, metadata, spec, status }
  return { code: 201, body: { form: 'object', object: normalize(schemaOf(TOKEN_REQUEST.schema), object) } }
}

function ownersOf(context: EndpointContext, wanted: TokenRequest, expirationSeconds: number, manager: string) {
  const updated = { ...wanted, spec: { ...wanted.spec, expirationSeconds } }
  return recordUpdate({
    schema: schemaOf(TOKEN_REQUEST.schema),
    apiVersion: API_VERSION,
    kind: TOKEN_REQUEST.kind,
    live: null,
    updated,
    manager,
    subresource: 'token',
    nowMs: context.clock.now(),
  })
}

/** Go prints the core group as an empty word before the slash. */
const typeText = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion : `/${apiVersion}`)

function checkPlace({ metadata }: TokenRequest, namespace: string, name: string): void {
  if (metadata.name && metadata.name !== name)
    throw invalidFrom(TOKEN_REQUEST, name, [
      invalidValue('metadata.name', metadata.name, 'must match the service account name if specified'),
    ])
  if (metadata.namespace && metadata.namespace !== namespace)
    throw invalidFrom(TOKEN_REQUEST, name, [
      invalidValue('metadata.namespace', metadata.namespace, 'must match the service account namespace if specified'),
    ])
}

function checkSpec({ attestations }: TokenRequest['spec'], seconds: number, name: string): void {
  const errors: FieldError[] = []
  if (Object.keys(attestations ?? {}).length > 0) {
    const text = 'attestations may only be specified with a webhook bound object reference'
    throw invalidFrom(TOKEN_REQUEST, name, [invalidValue('spec.attestations', attestations, text)])
  }
  if (seconds < SECONDS_MIN)
    errors.push(invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > SECONDS_MAX)
    errors.push(invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds'))
  if (errors.length > 0) throw invalidFrom(TOKEN_REQUEST, name, errors)
}

type Bound = { readonly reference: BoundObject; readonly node?: { readonly name: string; readonly uid: string } }

async function findBound(
  context: EndpointContext,
  { spec }: TokenRequest,
  namespace: string,
  account: string,
): Promise<Bound | null> {
  const reference = spec.boundObjectRef
  if (reference === undefined) return null
  const { kind = '', name = '', uid } = reference
  const resourceName = BINDABLE[kind]
  if (resourceName === undefined || (reference.apiVersion ?? 'v1') !== 'v1')
    throw badRequest(`cannot bind token to object of type ${typeText(reference.apiVersion ?? '')}, Kind=${kind}`)
  const object = await readObject(context, resourceName, kind === 'Node' ? '' : namespace, name)
  if (uid && uid !== object.metadata.uid)
    throw conflict(
      { group: '', resource: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  const bound = { kind: kind as BoundObject['kind'], name, uid: object.metadata.uid }
  if (kind !== 'Pod') return { reference: bound }
  const { spec: podSpec } = object as Pod
  if (podSpec.serviceAccountName !== account)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    )
  if (!podSpec.nodeName) return { reference: bound }
  const node = await readObject(context, 'nodes', '', podSpec.nodeName).catch(() => null) // A pod may name a node that is gone.
  return node === null
    ? { reference: bound }
    : { reference: bound, node: { name: podSpec.nodeName, uid: node.metadata.uid } }
}

async function readObject(
  context: EndpointContext,
  resourceName: string,
  namespace: string,
  name: string,
): Promise<KubernetesObject> {
  const resource = context.resources.get('', 'v1', resourceName)!
  const stored = await resource.cache.get(resource.keyOf(namespace, name))
  if (stored === null) throw notFound(resource.groupResource, name)
  return decodeStored(resource, stored)
}
