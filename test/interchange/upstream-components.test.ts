/** Unmodified kube-controller-manager and kube-scheduler v1.37, speaking protobuf, do all their work on our API server. */
import assert from 'node:assert/strict'
import test, { after, before, describe } from 'node:test'
import { UpstreamCluster, componentsMissing } from './upstream/cluster.ts'
import { unexpectedErrors } from './upstream/expected-errors.ts'
import { testJobs, testTick } from './upstream/jobs.ts'
import { testLifecycle, testPodCollection } from './upstream/lifecycle.ts'
import { simulatedNode } from './upstream/objects.ts'
import { testPolicies } from './upstream/policies.ts'
import { testWorkloads } from './upstream/workloads.ts'

const PORT = 22_400

const reason = componentsMissing()
if (reason !== null) console.error(`${reason}\n`)

describe("upstream's components on our API server", { skip: reason ?? false }, () => {
  let started: UpstreamCluster
  const cluster = (): UpstreamCluster => started

  before(async () => {
    started = await UpstreamCluster.start(PORT)
    await started.create(simulatedNode('sim-1'), simulatedNode('sim-2'))
    await started.kubectl('wait', 'node', '--all', '--for=condition=Ready', '--timeout=30s')
  })

  after(() => started?.stop())

  testJobs(cluster)
  testWorkloads(cluster)
  testLifecycle(cluster)
  testPolicies(cluster)
  testTick(cluster)
  testPodCollection(cluster)

  test('no component logs an error that it does not log on a real API server', () => {
    for (const [name, lines] of cluster().logs) assert.deepEqual(unexpectedErrors(lines), [], name)
  })
})
