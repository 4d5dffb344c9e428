/** Prints what decoding and encoding a pod by schema cost, against bare JSON.parse and JSON.stringify in the same run. */
import '#api/schemas.ts'
import { decodeJson } from '#machinery/schema/decode.ts'
import { encodeObject, normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'

const ROUNDS = 5
const BATCH = 5000

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-6d4b75cb6d-abcde',
    namespace: 'shop',
    uid: '0d3b5a1e-8f7e-4c1b-9a52-0e1f0e6a2c11',
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { app: 'web', 'pod-template-hash': '6d4b75cb6d' },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'web-6d4b75cb6d',
        uid: 'u',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  },
  spec: {
    containers: ['web', 'sidecar'].map((name) => ({
      name,
      image: 'registry.local/web:1.2',
      command: ['sh', '-c', 'exec serve'],
      ports: [{ containerPort: 8080, protocol: 'TCP', name: 'http' }],
      env: Array.from({ length: 6 }, (_, index) => ({ name: `VARIABLE_${index}`, value: `value ${index}` })),
      resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
      readinessProbe: { httpGet: { path: '/', port: 8080, scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 1 },
      terminationMessagePath: '/dev/termination-log',
      imagePullPolicy: 'IfNotPresent',
    })),
    volumes: [{ name: 'data', emptyDir: {} }],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    nodeName: 'node-1',
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
  },
  status: { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
}

const schema = schemaOf('io.k8s.api.core.v1.Pod')
const text = JSON.stringify(POD)
const { object } = decodeJson(schema, text)
const CASES: Record<string, () => unknown> = {
  'JSON.parse': () => JSON.parse(text),
  'decode, Ignore': () => decodeJson(schema, text),
  'decode, Strict': () => decodeJson(schema, text, { fieldValidation: 'Strict' }),
  'JSON.stringify': () => Buffer.from(JSON.stringify(object)),
  normalize: () => normalize(schema, object),
  encodeObject: () => encodeObject(schema, object),
}

/** Best of interleaved rounds, in microseconds: the machine is shared, so the mean says little. */
const best = new Map<string, number>()
for (let round = 0; round < ROUNDS; round++)
  for (const [name, run] of Object.entries(CASES)) {
    const start = performance.now()
    for (let index = 0; index < BATCH; index++) run()
    const micros = ((performance.now() - start) * 1000) / BATCH
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, micros))
  }
console.log(`pod of ${text.length} bytes`)
for (const [name, micros] of best) {
  const base = best.get(name.startsWith('decode') || name === 'JSON.parse' ? 'JSON.parse' : 'JSON.stringify')!
  console.log(`${name.padEnd(16)} ${micros.toFixed(1).padStart(6)} us  ${(micros / base).toFixed(2)}x`)
}
