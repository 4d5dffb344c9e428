/** Publishes the cluster's certificate authority as ConfigMap `kube-root-ca.crt` in each namespace, where pods find it. */
import type { ConfigMap, Namespace } from '#api/core/v1.gen.ts'
import { CONFIGMAPS, NAMESPACES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import { isNamespaceTerminating } from '#client/namespace-terminating.ts'
import type { Draft } from '#machinery/meta/template.ts'
import { isAlreadyExists } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'

const CONFIG_MAP_NAME = 'kube-root-ca.crt'
const DATA_KEY = 'ca.crt'
const DESCRIPTION_ANNOTATION = 'kubernetes.io/description'
/** Upstream's text: `kubectl describe` shows it. */
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

export class RootCaCertificatePublisherController implements Controller {
  readonly name = 'root-ca-certificate-publisher-controller'
  readonly workers = 2
  readonly #client: Client
  readonly #namespaces: Informer<Namespace>
  readonly #configMaps: Informer<ConfigMap>
  readonly #rootCa: string | undefined

  constructor({ client, informers, options }: ControllerContext) {
    this.#client = client
    this.#namespaces = informers.informer(NAMESPACES)
    this.#configMaps = informers.informer(CONFIGMAPS)
    this.#rootCa = options.rootCa
  }

  watch(enqueue: Enqueue): void {
    if (this.#rootCa === undefined) return
    const onNamespace = (namespace: Namespace): void => enqueue(namespace.metadata.name)
    const onConfigMap = ({ metadata }: ConfigMap): void => {
      if (metadata.name === CONFIG_MAP_NAME) enqueue(metadata.namespace ?? '')
    }
    this.#namespaces.addHandler({ added: onNamespace, updated: onNamespace })
    this.#configMaps.addHandler({ updated: onConfigMap, deleted: onConfigMap })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const namespace = this.#namespaces.get(key)
    if (namespace === undefined || namespace.status?.phase !== 'Active' || this.#rootCa === undefined) return {}
    const data = { [DATA_KEY]: this.#rootCa }
    const known = this.#configMaps.get(`${key}/${CONFIG_MAP_NAME}`)
    const annotations = { ...known?.metadata.annotations, [DESCRIPTION_ANNOTATION]: DESCRIPTION }
    if (known === undefined) {
      const metadata = { name: CONFIG_MAP_NAME, namespace: key, annotations }
      await this.#create({ metadata, data }, signal)
    } else if (!isPublished(known, this.#rootCa)) {
      await this.#client.update(CONFIGMAPS, { ...known, data, metadata: { ...known.metadata, annotations } }, signal)
    }
    return {}
  }

  async #create(configMap: Draft<ConfigMap>, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.create<ConfigMap>(CONFIGMAPS, configMap, signal)
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error
    }
  }
}

function isPublished({ data, metadata }: ConfigMap, rootCa: string): boolean {
  const isSame = data?.[DATA_KEY] === rootCa && Object.keys(data).length === 1
  return isSame && metadata.annotations?.[DESCRIPTION_ANNOTATION] !== undefined
}
