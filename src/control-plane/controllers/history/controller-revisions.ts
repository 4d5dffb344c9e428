/** Keeps past templates of DaemonSets and StatefulSets as ControllerRevisions, so that they can be rolled back to. */
import type { ControllerRevision } from '#api/apps/v1.gen.ts'
import type { PodTemplateSpec } from '#api/core/v1.gen.ts'
import { CONTROLLERREVISIONS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client } from '#client/client.ts'
import type { Informer, InformerFactory } from '#client/informer.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { isAlreadyExists } from '#machinery/status-error.ts'
import { canonicalJson, templateHash } from '../deployment/template-hash.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { controllerKeyOf, controllerReference } from '../object-key.ts'
import { indexByController, onDependentChange } from '../on-change.ts'

/** Label of pods and revisions. */
export const REVISION_HASH_LABEL = 'controller-revision-hash'

export type RevisionOwner = {
  readonly resource: ResourceRef
  readonly object: KubernetesObject
  readonly template: PodTemplateSpec
  readonly collisionCount: number
  readonly historyLimit: number
}

/** Oldest first; `current` is the one of the present template. */
export type Revisions = { readonly all: readonly ControllerRevision[]; readonly current: ControllerRevision }

export class ControllerRevisions {
  readonly #client: Client
  readonly #informer: Informer<ControllerRevision>
  readonly #index: string

  constructor(client: Client, informers: InformerFactory, controller: string) {
    this.#client = client
    this.#informer = informers.informer(CONTROLLERREVISIONS)
    this.#index = `${controller}/controller`
  }

  /** `changed` hears the owners' names whenever a revision of a controller of `kind` changes. */
  watch(kind: string, changed: (key: string) => void): void {
    indexByController(this.#informer, this.#index)
    onDependentChange(this.#informer, (revision) => {
      const key = controllerKeyOf(revision, kind)
      if (key !== null) changed(key)
    })
  }

  list(owner: KubernetesObject): ControllerRevision[] {
    return this.#informer
      .byIndex(this.#index, owner.metadata.uid)
      .toSorted((left, right) => (left.revision ?? 0) - (right.revision ?? 0))
  }

  /** The revision of the present template: a new one, or an old one that becomes the newest again. */
  async ensure(owner: RevisionOwner, signal: AbortSignal): Promise<Revisions> {
    const all = this.list(owner.object)
    const newest = all.at(-1)
    const revision = (newest?.revision ?? 0) + 1
    const data = canonicalJson(dataOf(owner.template))
    const known = all.findLast((candidate) => canonicalJson(candidate.data) === data)
    if (known === undefined) {
      const current = await this.#create(owner, revision, signal)
      return { all: [...all, current], current }
    }
    if (known === newest) return { all, current: known }
    const current = await this.#client.update<ControllerRevision>(CONTROLLERREVISIONS, { ...known, revision }, signal)
    return { all: [...all.filter((other) => other !== known), current], current }
  }

  async #create(owner: RevisionOwner, revision: number, signal: AbortSignal): Promise<ControllerRevision> {
    const { object, resource, template } = owner
    for (let collisions = owner.collisionCount; ; collisions++) {
      const hash = templateHash(template, collisions)
      const metadata = {
        name: `${object.metadata.name}-${hash}`,
        ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
        labels: { ...template.metadata?.labels, [REVISION_HASH_LABEL]: hash },
        annotations: { ...object.metadata.annotations },
        ownerReferences: [controllerReference(resource, object)],
      }
      try {
        const data = dataOf(template)
        return await this.#client.create<ControllerRevision>(CONTROLLERREVISIONS, { metadata, data, revision }, signal)
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
        const existing = await this.#client.get<ControllerRevision>(
          CONTROLLERREVISIONS,
          metadata.namespace ?? '',
          metadata.name,
          signal,
        )
        if (canonicalJson(existing.data) === canonicalJson(dataOf(template))) return existing
      }
    }
  }

  /** Deletes the oldest revisions over the limit that no pod runs. */
  async prune(
    { historyLimit }: RevisionOwner,
    { all, current }: Revisions,
    live: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const unused = all.filter((revision) => revision !== current && !live.has(hashOf(revision)))
    for (const { metadata } of unused.slice(0, Math.max(0, unused.length - historyLimit)))
      await ignoreGone(this.#client.delete(CONTROLLERREVISIONS, metadata.namespace ?? '', metadata.name, {}, signal))
  }
}

export function hashOf(revision: ControllerRevision): string {
  return revision.metadata.labels?.[REVISION_HASH_LABEL] ?? ''
}

/** A patch that brings the owner back to this template. */
function dataOf(template: PodTemplateSpec): Record<string, unknown> {
  return { spec: { template: { ...template, $patch: 'replace' } } }
}

/** The template that a revision holds. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { template } = revision.data['spec'] as { template: PodTemplateSpec & { $patch?: string } }
  const { $patch: _, ...rest } = template
  return rest
}
