/** What the default admission plugins write into objects, as far as recorded answers show it: just enough to compare. */
import { AllocationError, allocationSteps } from '#api/core/service/allocation.ts'
import type { Container, Node, Pod, Service, Toleration } from '#api/core/v1.gen.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'

/** The first of each kind that a recording has. */
const FIRST_ADDRESS = 101
const FIRST_PORT = 30_001
const PORTS = [30_000, 32_767] as const

/** Finalizers that keep storage in use from going away. */
const PROTECTED: Readonly<Record<string, string>> = {
  'v1/persistentvolumes': 'kubernetes.io/pv-protection',
  'v1/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  'storage.k8s.io/v1/volumeattributesclasses': 'kubernetes.io/vac-protection',
}

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const TOKEN_VOLUME = 'kube-api-access-1'

/** Changes the object as mutating admission does on create (`old` is null) and on update. */
export function admit(id: string, object: unknown, old: unknown): void {
  if (id === 'v1/services') allocate(object as Service, old as Service | null)
  const finalizer = PROTECTED[id]
  if (finalizer !== undefined && old === null) protect(object as KubernetesObject, finalizer)
  if (id === 'v1/nodes' && old === null) taint(object as Node)
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

/** Allocators that are never full: they hand out what the recording's placeholders stand for. */
function allocate(service: Service, old: Service | null): void {
  let [address, port] = [FIRST_ADDRESS, FIRST_PORT]
  const steps = allocationSteps(service, old, ['IPv4'])
  let next = steps.next()
  while (next.done !== true) {
    const step = next.value
    if ('release' in step) next = steps.next('')
    else if (step.take === 'address') next = takeAddress(step.wanted)
    else if (step.wanted !== 0 && (step.wanted < PORTS[0] || step.wanted > PORTS[1]))
      next = steps.throw(
        new AllocationError(`provided port is not in the valid range. The range of valid ports is ${PORTS.join('-')}`),
      )
    else next = steps.next(step.wanted || port++)
  }

  function takeAddress(wanted: string): typeof next {
    if (wanted === '') return steps.next(`10.96.0.${address++}`)
    if (wanted.startsWith('10.96.')) return steps.next(wanted)
    const range = 'The range of valid IPs is 10.96.0.0/16'
    return steps.throw(new AllocationError(`the provided network does not match the current range. ${range}`))
  }
}

function protect({ metadata }: KubernetesObject, finalizer: string): void {
  const finalizers = (metadata.finalizers ??= [])
  if (!finalizers.includes(finalizer)) finalizers.push(finalizer)
}

/** A new node is not ready until its status says so. */
function taint({ spec }: Node): void {
  const key = 'node.kubernetes.io/not-ready'
  if (!(spec.taints ?? []).some((taint) => taint.key === key && taint.effect === 'NoSchedule'))
    (spec.taints ??= []).push({ key, effect: 'NoSchedule' })
}
