/** Which taints of a node a pod tolerates (upstream's ToleratesTaint); the scheduler, controllers and kubelet all ask it. */
import type { Taint, Toleration } from './v1.gen.ts'

export function toleratesTaint(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint))
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  switch (toleration.operator ?? '') {
    case '':
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '')
    case 'Exists':
      return true
    case 'Lt':
    case 'Gt':
      return comparesAs(toleration.operator!, taint.value, toleration.value)
    default:
      return false
  }
}

/** Numeric tolerations compare the taint's value with their own; what is no integer is not tolerated. */
function comparesAs(operator: string, taintValue = '', tolerationValue = ''): boolean {
  const [taint, toleration] = [parseInteger(taintValue), parseInteger(tolerationValue)]
  if (taint === null || toleration === null) return false
  return operator === 'Lt' ? taint < toleration : taint > toleration
}

function parseInteger(text: string): bigint | null {
  return /^(0|-?[1-9]\d*)$/.test(text) ? BigInt(text) : null
}
