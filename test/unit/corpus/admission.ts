/** What the default admission plugins write into objects, as far as recorded answers show it: just enough to compare. */
import type { Container, Pod, Toleration } from '#api/core/v1.gen.ts'

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const TOKEN_VOLUME = 'kube-api-access-1'

/** Changes the object as mutating admission does on create (`old` is null) and on update. */
export function admit(id: string, object: unknown, old: unknown): void {
  if (id !== 'v1/pods') return
  const pod = object as Pod
  if (old === null) admitNewPod(pod)
  else {
    const before = old as Pod
    if (before.spec.priority !== undefined) pod.spec.priority ??= before.spec.priority
    if (before.spec.preemptionPolicy !== undefined) pod.spec.preemptionPolicy ??= before.spec.preemptionPolicy
  }
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) tolerate(pod, key)
}

function admitNewPod({ spec }: Pod): void {
  spec.serviceAccountName ||= 'default'
  spec.serviceAccount = spec.serviceAccountName
  if (!spec.priorityClassName) {
    spec.priority ??= 0
    spec.preemptionPolicy ??= 'PreemptLowerPriority'
  }
  if (spec.automountServiceAccountToken !== false) mountToken(spec)
}

function mountToken(spec: Pod['spec']): void {
  const containers: Container[] = [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
  const open = containers.filter(
    ({ volumeMounts = [] }) => !volumeMounts.some(({ mountPath }) => mountPath === TOKEN_PATH),
  )
  if (open.length === 0) return
  for (const container of open)
    (container.volumeMounts ??= []).push({ mountPath: TOKEN_PATH, name: TOKEN_VOLUME, readOnly: true })
  const namespace = { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
    { downwardAPI: { items: [namespace] } },
  ]
  ;(spec.volumes ??= []).push({ name: TOKEN_VOLUME, projected: { defaultMode: 420, sources } })
}

function tolerate(pod: Pod, key: string): void {
  const tolerations = (pod.spec.tolerations ??= [])
  const covers = (toleration: Toleration): boolean =>
    (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === 'NoExecute')
  if (tolerations.some(covers)) return
  tolerations.push({ effect: 'NoExecute', key, operator: 'Exists', tolerationSeconds: 300 })
}
