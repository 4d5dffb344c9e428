/** Pods stay on a node that is not ready or unreachable for five minutes, unless they say otherwise. */
import type { Pod, Toleration } from '#api/core/v1.gen.ts'
import { isResource, type AdmissionPlugin } from './admission.ts'

const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
const SECONDS = 300

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate(attributes) {
    if (attributes.operation === 'DELETE' || !isResource(attributes, 'pods')) return
    const { spec } = attributes.object as Pod
    for (const key of KEYS)
      if (!(spec.tolerations ?? []).some((toleration) => covers(toleration, key)))
        spec.tolerations = [
          ...(spec.tolerations ?? []),
          { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS },
        ]
  },
}

const covers = ({ key, effect }: Toleration, wanted: string): boolean =>
  (!key || key === wanted) && (!effect || effect === 'NoExecute')
