/** Decides how long a pod may stay on a node with NoExecute taints. */
import type { Taint, Toleration } from '#api/core/v1.gen.ts'

/** Milliseconds that the pod may stay; 0: it has to go now, null: for ever. */
export function planStay(taints: readonly Taint[], tolerations: readonly Toleration[]): number | null {
  if (taints.length === 0) return null
  const used: Toleration[] = []
  for (const taint of taints) {
    const tolerating = tolerations.find((toleration) => tolerates(toleration, taint))
    if (tolerating === undefined) return 0
    used.push(tolerating)
  }
  const limits = used.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? [])
  return limits.length === 0 ? null : Math.max(0, Math.min(...limits)) * 1000
}

function tolerates({ key = '', operator = '', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (operator === 'Exists') return true
  return (operator === '' || operator === 'Equal') && key !== '' && value === (taint.value ?? '')
}
