/** Round trips of HorizontalPodAutoscalers between their two versions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HorizontalPodAutoscaler } from '#api/autoscaling/v2.gen.ts'
import { fromStoredAutoscaler, toStoredAutoscaler } from './conversion.ts'

const META = { creationTimestamp: '2026-01-02T03:04:05Z', resourceVersion: '1', uid: 'u' }

const STORED: HorizontalPodAutoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { ...META, name: 'web', namespace: 'default', annotations: { note: 'mine' } },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 5,
    metrics: [
      {
        type: 'Object',
        object: {
          describedObject: { apiVersion: 'v1', kind: 'Service', name: 'web' },
          metric: { name: 'requests' },
          target: { type: 'Value', value: '2k' },
        },
      },
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
    ],
    behavior: { scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] } },
  },
  status: {
    currentReplicas: 2,
    desiredReplicas: 3,
    conditions: [{ type: 'AbleToScale', status: 'True', lastTransitionTime: '2026-01-02T03:04:05Z' }],
    currentMetrics: [
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 70, averageValue: '70m' } } },
    ],
  },
}

test('what autoscaling/v1 has no fields for survives in annotations', () => {
  const { metadata, spec, status } = fromStoredAutoscaler(STORED)
  assert.equal(spec.targetCPUUtilizationPercentage, 60)
  assert.equal(status?.currentCPUUtilizationPercentage, 70)
  assert.equal(
    metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics'],
    '[{"type":"Object","object":{"target":{"kind":"Service","name":"web","apiVersion":"v1"},"metricName":"requests","targetValue":"2k"}}]',
  )
  assert.equal(
    metadata.annotations?.['autoscaling.alpha.kubernetes.io/behavior'],
    '{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":10,"PeriodSeconds":60}],"Tolerance":null}}',
  )
  assert.deepEqual(toStoredAutoscaler(fromStoredAutoscaler(STORED)), STORED)
})

test('annotations that hold no JSON are dropped, and a target is assumed', () => {
  const { metadata, spec } = toStoredAutoscaler({
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { ...META, name: 'web', annotations: { 'autoscaling.alpha.kubernetes.io/metrics': 'no list' } },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 2 },
  })
  assert.equal(metadata.annotations, undefined)
  assert.equal(spec.metrics?.[0]?.resource?.target.averageUtilization, 80)
})
