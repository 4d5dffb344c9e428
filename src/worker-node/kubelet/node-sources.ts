/** What a kubelet reads from the API server: its node, services, and the objects its pods refer to. */
import type {
  ConfigMap,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
  Service,
} from '#api/core/v1.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import { CONFIGMAPS, NODES, PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, SECRETS, SERVICES } from '#api/resources.gen.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { KubeletOptions } from './kubelet-options.ts'
import { ObjectCache } from './sources/object-cache.ts'
import { referencesOf } from './sources/pod-references.ts'
import { ResourceWatch } from './sources/resource-watch.ts'

export type NodeSourcesOptions = Pick<KubeletOptions, 'client' | 'clock' | 'random' | 'log' | 'nodeName'> & {
  onNode(node: Node): void
  /** An object that these pods refer to changed. */
  onReferenceChange(podUids: readonly string[]): void
}

export class NodeSources {
  readonly #options: NodeSourcesOptions
  readonly #configMaps: ObjectCache<ConfigMap>
  readonly #secrets: ObjectCache<Secret>
  readonly #node: ResourceWatch<Node>
  readonly #services: ResourceWatch<Service>
  readonly #servicesSynced = Promise.withResolvers<void>()

  constructor(options: NodeSourcesOptions) {
    this.#options = options
    const { client, clock, random, log, nodeName } = options
    const common = { client, clock, random, log }
    const onChange = (podUids: readonly string[]): void => options.onReferenceChange(podUids)
    this.#configMaps = new ObjectCache({ ...common, resource: CONFIGMAPS, onChange })
    this.#secrets = new ObjectCache({ ...common, resource: SECRETS, onChange })
    this.#node = new ResourceWatch({
      ...common,
      resource: NODES,
      namespace: '',
      fieldSelector: `metadata.name=${nodeName}`,
      onChange: (_key, node) => node && options.onNode(node),
    })
    this.#services = new ResourceWatch({
      ...common,
      resource: SERVICES,
      namespace: '',
      onChange: () => {}, // Read when a container starts; running ones keep the environment they have.
      onSynced: () => this.#servicesSynced.resolve(),
    })
  }

  start(): void {
    this.#node.start()
    this.#services.start()
  }

  stop(): void {
    for (const part of [this.#node, this.#services, this.#configMaps, this.#secrets]) part.stop()
  }

  /** Without services the environment of containers could not be made. */
  servicesSynced(): Promise<void> {
    return this.#servicesSynced.promise
  }

  node(): Node | undefined {
    return this.#node.get(this.#options.nodeName)
  }

  services(): readonly Service[] {
    return this.#services.list()
  }

  usePod(pod: Pod): void {
    const { uid, namespace = 'default' } = pod.metadata
    const { configMaps, secrets } = referencesOf(pod)
    this.#configMaps.use(uid, namespace, configMaps)
    this.#secrets.use(uid, namespace, secrets)
  }

  forgetPod(podUid: string): void {
    this.#configMaps.use(podUid, '', new Set())
    this.#secrets.use(podUid, '', new Set())
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | null> {
    return this.#configMaps.get(namespace, name)
  }

  secret(namespace: string, name: string): Promise<Secret | null> {
    return this.#secrets.get(namespace, name)
  }

  claim(namespace: string, name: string): Promise<PersistentVolumeClaim | null> {
    return this.#getOrNull(PERSISTENTVOLUMECLAIMS, namespace, name)
  }

  persistentVolume(name: string): Promise<PersistentVolume | null> {
    return this.#getOrNull(PERSISTENTVOLUMES, '', name)
  }

  /** Secrets that are not there give no credentials; the pull itself tells whether any were needed. */
  async pullSecrets(pod: Pod): Promise<Secret[]> {
    const names = (pod.spec.imagePullSecrets ?? []).map(({ name }) => name ?? '')
    const secrets = await Promise.all(names.map((name) => this.secret(pod.metadata.namespace ?? 'default', name)))
    return secrets.filter((secret) => secret !== null)
  }

  async #getOrNull<T extends KubernetesObject>(
    resource: ResourceRef<T>,
    namespace: string,
    name: string,
  ): Promise<T | null> {
    try {
      return await this.#options.client.get(resource, namespace, name)
    } catch (error) {
      if (isNotFound(error)) return null
      throw error
    }
  }
}
