/** Client libraries as released talk to real containers: exec and port-forward, over WebSocket and over SPDY. */
import assert from 'node:assert/strict'
import test, { after, before, describe } from 'node:test'
import { ROOT, TestCluster, missingForNodes } from '../end-to-end/cluster.ts'
import { LANGUAGES, clientProgram, runChecks } from '../tools/client-programs.ts'

const reason = missingForNodes()
if (reason !== null) console.error(`SKIPPED: no node to talk to: ${reason}\n`)

describe('client libraries and real containers', { skip: reason ?? false }, () => {
  let cluster: TestCluster
  let environment: Record<string, string>

  before(async () => {
    cluster = await TestCluster.start('interchange-streams', '--nodes', '1')
    await cluster.kubectl(`apply -f ${ROOT}examples/guestbook.yaml`)
    await cluster.kubectl('-n shop rollout status deploy/web --timeout=60s')
    const [pod] = (await cluster.kubectl('-n shop get pods -l app=web -o name')).trim().split('\n')
    environment = { KUBECONFIG: cluster.kubeconfig, POD: `shop/${pod!.replace('pod/', '')}`, POD_PORT: '8080' }
  })

  after(() => cluster?.stop())

  for (const language of reason === null ? LANGUAGES : []) {
    const program = clientProgram(language)
    test(language, { skip: program === null ? 'it cannot be built here' : false }, async () => {
      const said = await runChecks({ program: program!, checks: ['streams'], environment })
      assert.match(said, /^passed: streams$/m)
    })
  }
})
