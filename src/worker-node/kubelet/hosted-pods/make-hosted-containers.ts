/** Makes the hosted containers of a kubelet out of its options, or none. */
import { join } from 'node:path'
import type { KubeletOptions } from '../kubelet-options.ts'
import { staticPodOf } from '../static-pods/read-manifests.ts'
import { HostedContainers } from './hosted-containers.ts'

export function makeHostedContainers(
  { hostedPods = [], nodeName, rootDir, clock, log }: KubeletOptions,
  onExit: (podUid: string) => void,
): HostedContainers | null {
  if (hostedPods.length === 0) return null
  return new HostedContainers({
    pods: hostedPods.map(({ manifest, programs }) => ({
      pod: staticPodOf(manifest, nodeName, clock.now()),
      programs,
    })),
    path: join(rootDir, 'hosted-pods.json'),
    clock,
    log,
    onExit,
  })
}
