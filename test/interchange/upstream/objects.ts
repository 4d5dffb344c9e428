/** Objects that the tests of upstream's components create. */

export const NODE_LABELS = { simulated: 'yes' }

/** A node that kwok keeps ready. */
export function simulatedNode(name: string, labels: Record<string, string> = {}): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { ...NODE_LABELS, ...labels } } }
}

/** Pods of a label `ends` end so; those of a label `stays` are never started. */
export function podTemplate(labels: Record<string, string>, spec: object = {}) {
  return { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'example.test/c:1' }], ...spec } }
}

/** A Deployment, ReplicaSet, StatefulSet or DaemonSet whose pods have the label `app`. */
export function workload(kind: string, namespace: string, name: string, spec: object = {}): object {
  const template = podTemplate({ app: name })
  const metadata = { name, namespace }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata,
    spec: { selector: { matchLabels: { app: name } }, template, ...spec },
  }
}

export function job(namespace: string, name: string, ends: 'Succeeded' | 'Failed', spec: object = {}): object {
  const template = podTemplate({ ends }, { restartPolicy: 'Never' })
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace }, spec: { template, ...spec } }
}
