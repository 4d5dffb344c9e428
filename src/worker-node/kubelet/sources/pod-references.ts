/** Which ConfigMaps and Secrets a pod's spec names. */
import type { Pod, Volume } from '#api/core/v1.gen.ts'
import { containersOf } from '../pods/pod-facts.ts'

export type PodReferences = { readonly configMaps: ReadonlySet<string>; readonly secrets: ReadonlySet<string> }

export function referencesOf(pod: Pod): PodReferences {
  const [configMaps, secrets] = [new Set<string>(), new Set<string>()]
  const add = (set: Set<string>, name: string | undefined): void => {
    if (name) set.add(name)
  }
  for (const { container } of containersOf(pod)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add(configMaps, configMapRef?.name)
      add(secrets, secretRef?.name)
    }
    for (const { valueFrom } of container.env ?? []) {
      add(configMaps, valueFrom?.configMapKeyRef?.name)
      add(secrets, valueFrom?.secretKeyRef?.name)
    }
  }
  for (const { name } of pod.spec.imagePullSecrets ?? []) add(secrets, name)
  for (const volume of pod.spec.volumes ?? []) addVolume(volume, { configMaps, secrets })
  return { configMaps, secrets }
}

function addVolume(
  volume: Volume,
  { configMaps, secrets }: { readonly configMaps: Set<string>; readonly secrets: Set<string> },
): void {
  if (volume.configMap?.name) configMaps.add(volume.configMap.name)
  if (volume.secret?.secretName) secrets.add(volume.secret.secretName)
  for (const { configMap, secret } of volume.projected?.sources ?? []) {
    if (configMap?.name) configMaps.add(configMap.name)
    if (secret?.name) secrets.add(secret.name)
  }
}
