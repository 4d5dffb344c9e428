/** Pods stay for a while (five minutes) on a node that is not ready or unreachable, unless they say otherwise. */
import type { Pod, Toleration } from '#api/core/v1.gen.ts'
import { isResource, type AdmissionPlugin } from './admission.ts'

/** Upstream's flags `default-not-ready-toleration-seconds` and `default-unreachable-toleration-seconds`. */
export type TolerationSeconds = { readonly notReady: number; readonly unreachable: number }

export const DEFAULT_TOLERATION_SECONDS: TolerationSeconds = { notReady: 300, unreachable: 300 }

export function createDefaultTolerationSeconds({ notReady, unreachable }: TolerationSeconds): AdmissionPlugin {
  const defaults = [
    ['node.kubernetes.io/not-ready', notReady],
    ['node.kubernetes.io/unreachable', unreachable],
  ] as const
  return {
    name: 'DefaultTolerationSeconds',
    mutate(attributes) {
      if (attributes.operation === 'DELETE' || !isResource(attributes, 'pods')) return
      const { spec } = attributes.object as Pod
      // All see the pod as it came: one that tolerates everything gets neither.
      const given = spec.tolerations ?? []
      const added = defaults.flatMap(([key, tolerationSeconds]) =>
        given.some((toleration) => covers(toleration, key))
          ? []
          : [{ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }],
      )
      if (added.length > 0) spec.tolerations = [...given, ...added]
    },
  }
}

const covers = ({ key, effect }: Toleration, wanted: string): boolean =>
  (!key || key === wanted) && (!effect || effect === 'NoExecute')
