/** Follows the folder of static pods beside those that the process brings along, and shows each of them in the API server as a mirror pod. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { isAlreadyExists, isConflict, isNotFound } from '#machinery/status-error.ts'
import { CONFIG_HASH, CONFIG_MIRROR } from '../runtime/labels.ts'
import { readManifests, staticPodOf, type Manifest } from './read-manifests.ts'

export type StaticPodsOptions = {
  /** Absent: only the built-in ones. */
  readonly folder: string | undefined
  /** Manifests of hosted pods; a file cannot take their names. */
  readonly builtIn: readonly Manifest[]
  readonly nodeName: string
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  node(): Node | undefined
  onAdded(pod: Pod): void
  onRemoved(podUid: string): void
  /** The API server has this mirror: the pod's status may go there. */
  onMirror(pod: Pod, mirror: Pod): void
}

const SCAN_MS = 1000

export class StaticPods {
  readonly #options: StaticPodsOptions
  readonly #stop = new AbortController()
  /** By `namespace/name`. */
  readonly #pods = new Map<string, Pod>()
  readonly #mirrors = new Map<string, Pod>()
  #reported = ''

  constructor(options: StaticPodsOptions) {
    this.#options = options
  }

  /** Resolves after the first scan. */
  async start(): Promise<void> {
    await this.#scan()
    void this.#loop()
  }

  stop(): void {
    this.#stop.abort(new Error('kubelet stopped'))
  }

  mirrorOf(pod: Pod): Pod | null {
    return this.#mirrors.get(keyOfPod(pod)) ?? null
  }

  hasMirror(key: string): boolean {
    return this.#mirrors.has(key)
  }

  /** The watch brought a mirror pod, or its end. */
  observeMirror(key: string, mirror: Pod | null): void {
    if (mirror) this.#mirrors.set(key, mirror)
    else this.#mirrors.delete(key)
    const pod = this.#pods.get(key)
    if (pod && mirror) this.#options.onMirror(pod, mirror)
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#reconcileMirrors()
      await this.#options.clock.sleep(SCAN_MS, signal).catch(() => {}) // Aborted: the loop ends.
      if (!signal.aborted) await this.#scan()
    }
  }

  async #scan(): Promise<void> {
    const { folder, builtIn, nodeName, clock } = this.#options
    try {
      const found = new Map<string, Pod>()
      const files = folder === undefined ? [] : await readManifests(folder)
      for (const manifest of [...files, ...builtIn]) {
        const pod = this.#parse(manifest)
        if (pod) found.set(keyOfPod(pod), pod)
      }
      for (const [key, pod] of this.#pods) if (found.get(key)?.metadata.uid !== pod.metadata.uid) this.#remove(key, pod)
      for (const [key, pod] of found) if (!this.#pods.has(key)) this.#add(key, pod)
    } catch (error) {
      this.#report(`static pods of ${nodeName} could not be read at ${clock.now()}: ${String(error)}`)
    }
  }

  #parse(manifest: Manifest): Pod | null {
    try {
      return staticPodOf(manifest, this.#options.nodeName, this.#options.clock.now())
    } catch (error) {
      this.#report(String(error))
      return null
    }
  }

  /** A broken file is told once, not every second. */
  #report(problem: string): void {
    if (problem === this.#reported) return
    this.#reported = problem
    this.#options.log.error('static pod manifest', { error: problem })
  }

  #add(key: string, pod: Pod): void {
    this.#pods.set(key, pod)
    this.#options.onAdded(pod)
  }

  #remove(key: string, pod: Pod): void {
    this.#pods.delete(key)
    this.#options.onRemoved(pod.metadata.uid)
  }

  async #reconcileMirrors(): Promise<void> {
    try {
      for (const [key, mirror] of this.#mirrors) {
        const pod = this.#pods.get(key)
        const isStale = mirror.metadata.annotations?.[CONFIG_MIRROR] !== pod?.metadata.annotations?.[CONFIG_HASH]
        if (isStale || mirror.metadata.deletionTimestamp !== undefined) await this.#deleteMirror(mirror)
      }
      for (const [key, pod] of this.#pods) if (!this.#mirrors.has(key)) await this.#createMirror(pod)
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#report(`mirror pods: ${String(error)}`)
    }
  }

  async #createMirror(pod: Pod): Promise<void> {
    const { client, node } = this.#options
    const owner = node()
    if (!owner) return
    const { name, namespace, labels, annotations } = pod.metadata
    const { name: nodeName, uid } = owner.metadata
    const metadata = {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels && { labels }),
      annotations: { ...annotations, [CONFIG_MIRROR]: annotations?.[CONFIG_HASH] ?? '' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid, controller: true }],
    }
    await client.create<Pod>(PODS, { ...pod, metadata }, this.#stop.signal).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
  }

  async #deleteMirror({ metadata: { namespace = 'default', name, uid } }: Pod): Promise<void> {
    const options = { gracePeriodSeconds: 0, preconditions: { uid } }
    await this.#options.client.delete(PODS, namespace, name, options, this.#stop.signal).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error
    })
  }
}

const keyOfPod = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`
