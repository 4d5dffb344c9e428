/** Creates what every cluster has from its first start: system namespaces, default roles and bindings, priority classes, flow schemas. */
import {
  CLUSTERROLEBINDINGS,
  CLUSTERROLES,
  CONFIGMAPS,
  NAMESPACES,
  PRIORITYCLASSES,
  ROLEBINDINGS,
  ROLES,
} from '#api/resources.gen.ts'
import { isDeepStrictEqual } from 'node:util'
import type { KindDefinition } from '#api/kind.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { PriorityClass } from '#api/scheduling/v1.gen.ts'
import type { ClusterRole, ClusterRoleBinding } from '#api/rbac/v1.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import { keyOf } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isAlreadyExists } from '#machinery/status-error.ts'
import { combineAuthenticationInfo, type AuthenticationInfo } from './authentication-info.ts'
import { createIfMissing } from './kubernetes-service.ts'
import OBJECTS from './objects.gen.json' with { type: 'json' }
import { reconcileFlowControl } from './reconcile-flow-control.ts'
import { reconcileBinding, reconcileRole, type Reconciled } from './reconcile-rbac.ts'

const DEFAULT_OBJECTS = OBJECTS as unknown as readonly KubernetesObject[]

/** Writes that run at once: enough to fill a group commit of the store. */
const PARALLEL = 64

export type BootstrapOptions = {
  readonly client: Client
  readonly kinds: readonly KindDefinition[]
  readonly clock: Clock
} & AuthenticationInfo

const ofKind = <T extends KubernetesObject>(kind: string): readonly T[] =>
  DEFAULT_OBJECTS.filter((object) => object.kind === kind) as readonly unknown[] as readonly T[]

export async function createSystemNamespaces({ client }: BootstrapOptions): Promise<void> {
  await Promise.all(
    ofKind('Namespace').map(({ metadata }) =>
      createIfMissing(client, NAMESPACES, { metadata: { name: metadata.name }, spec: {}, status: {} }),
    ),
  )
}

/** Roles first: a binding may be created only by who could grant its role, and readers expect both. */
export async function reconcileDefaultRoles({ client }: BootstrapOptions): Promise<void> {
  await reconcileAll(client, CLUSTERROLES, ofKind<ClusterRole>('ClusterRole'), reconcileRole)
  await reconcileAll(client, ROLES, ofKind('Role'), reconcileRole)
  await reconcileAll(client, CLUSTERROLEBINDINGS, ofKind<ClusterRoleBinding>('ClusterRoleBinding'), reconcileBinding)
  await reconcileAll(client, ROLEBINDINGS, ofKind('RoleBinding'), reconcileBinding)
}

async function reconcileAll<T extends KubernetesObject>(
  client: Client,
  resource: ResourceRef<T>,
  expected: readonly T[],
  reconcile: (existing: T, expected: T) => Reconciled<T>,
): Promise<void> {
  const { items } = await client.list(resource, '')
  const existing = new Map(items.map((object) => [keyOf(object), object]))
  await inParallel(expected, async (object) => {
    const known = existing.get(keyOf(object))
    if (known === undefined) return createTolerant(client, resource, object)
    const result = reconcile(known, object)
    if (result.action === 'update') await client.update(resource, result.object)
    if (result.action !== 'recreate') return
    await client.delete(resource, object.metadata.namespace ?? '', object.metadata.name)
    await client.create(resource, result.object)
  })
}

async function createTolerant<T extends KubernetesObject>(
  client: Client,
  resource: ResourceRef<T>,
  object: T,
): Promise<void> {
  try {
    await client.create(resource, object)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error // Another API server of this cluster was faster.
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += PARALLEL)
    await Promise.all(items.slice(start, start + PARALLEL).map(work))
}

/** Created once, then they belong to the users of the cluster. */
export async function createPriorityClasses({ client }: BootstrapOptions): Promise<void> {
  await Promise.all(
    ofKind<PriorityClass>('PriorityClass').map((object) => createIfMissing(client, PRIORITYCLASSES, object)),
  )
}

export async function reconcileDefaultFlows({ client }: BootstrapOptions): Promise<void> {
  await reconcileFlowControl(client, DEFAULT_OBJECTS)
}

/** Tells extension API servers which authorities sign the certificates of clients and of front proxies. */
export async function publishAuthentication({
  client,
  clock,
  clientCa,
  requestHeader,
}: BootstrapOptions): Promise<void> {
  const metadata = { name: 'extension-apiserver-authentication', namespace: 'kube-system' }
  const combinedWith = (data: Readonly<Record<string, string>>) =>
    combineAuthenticationInfo(data, { clientCa, requestHeader }, clock.now())
  await createIfMissing(client, CONFIGMAPS, { metadata, data: combinedWith({}) })
  const existing = await client.get(CONFIGMAPS, metadata.namespace, metadata.name)
  const data = combinedWith(existing.data ?? {})
  if (!isDeepStrictEqual({ ...existing.data }, data)) await client.update(CONFIGMAPS, { ...existing, data })
}

/** Since when the last use of tokens out of Secrets is noted on them. */
export async function publishTokenTracking({ client, clock }: BootstrapOptions): Promise<void> {
  await createIfMissing(client, CONFIGMAPS, {
    metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
    data: { since: new Date(clock.now()).toISOString().slice(0, 10) },
  })
}
