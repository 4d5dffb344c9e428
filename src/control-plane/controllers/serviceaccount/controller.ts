/** Keeps the ServiceAccount `default` in each namespace that is not about to end. */
import type { Namespace, ServiceAccount } from '#api/core/v1.gen.ts'
import { NAMESPACES, SERVICEACCOUNTS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import { isAlreadyExists } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'

const DEFAULT_SERVICE_ACCOUNT = 'default'

export class ServiceAccountController implements Controller {
  readonly name = 'serviceaccount-controller'
  readonly workers = 1
  readonly #client: Client
  readonly #namespaces: Informer<Namespace>
  readonly #serviceAccounts: Informer<ServiceAccount>

  constructor({ client, informers }: ControllerContext) {
    this.#client = client
    this.#namespaces = informers.informer(NAMESPACES)
    this.#serviceAccounts = informers.informer(SERVICEACCOUNTS)
  }

  watch(enqueue: Enqueue): void {
    const onNamespace = (namespace: Namespace): void => enqueue(namespace.metadata.name)
    this.#namespaces.addHandler({ added: onNamespace, updated: onNamespace })
    this.#serviceAccounts.addHandler({ deleted: ({ metadata }) => enqueue(metadata.namespace ?? '') })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const namespace = this.#namespaces.get(key)
    if (namespace === undefined || namespace.status?.phase !== 'Active') return {}
    if (this.#serviceAccounts.get(`${key}/${DEFAULT_SERVICE_ACCOUNT}`) !== undefined) return {}
    try {
      const metadata = { name: DEFAULT_SERVICE_ACCOUNT, namespace: key }
      await this.#client.create<ServiceAccount>(SERVICEACCOUNTS, { metadata }, signal)
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error
    }
    return {}
  }
}
