/** Keeps a finalizer on an object until nothing uses it any more. */
import type { ResourceRef } from '#api/resource-ref.ts'
import type { Client } from '#client/client.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { ignoreGone } from './ignore-gone.ts'

/** Whether there is something to do about the finalizer: not when a living object has it, or a dying one has not. */
export function needsLook({ metadata }: KubernetesObject, finalizer: string): boolean {
  const isDying = metadata.deletionTimestamp !== undefined
  return isDying === (metadata.finalizers ?? []).includes(finalizer)
}

/** Adds it to a living object, takes it from a dying one that is not used. */
export async function protect<T extends KubernetesObject>(
  { client, resource, finalizer }: { client: Client; resource: ResourceRef<T>; finalizer: string },
  object: T,
  isUsed: () => boolean | Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  if (!needsLook(object, finalizer)) return
  const isDying = object.metadata.deletionTimestamp !== undefined
  if (isDying && (await isUsed())) return
  const others = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer)
  const finalizers = isDying ? others : [...others, finalizer]
  const changed = { ...object, metadata: { ...object.metadata, finalizers } }
  await ignoreGone(client.update<T>(resource, changed, signal))
}
