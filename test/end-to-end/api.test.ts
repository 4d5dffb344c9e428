/** `kubets api` alone, as tools meet it: the newest and the oldest kubectl, Helm, and a client library through a crash of the server. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ApiServerProcess, freePort } from '../tools/api-server-process.ts'
import { clientProgram, runChecks } from '../tools/client-programs.ts'
import { debianKubectl, kubernetesClients } from '../tools/kubernetes-clients.ts'
import { ROOT, execute, type Output } from './cluster.ts'

const programs = { 'the newest kubectl': kubernetesClients().kubectl, 'kubectl 1.20': debianKubectl() }

describe('kubets api', () => {
  let scratch: string
  let server: ApiServerProcess

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'kubets-api-walk-'))
    server = new ApiServerProcess(scratch, await freePort())
    await server.start()
  })

  after(async () => {
    await server?.kill('SIGTERM')
    await rm(scratch, { recursive: true, force: true })
  })

  const run = (program: string, args: string, input = ''): Promise<Output> => {
    const helm = { HELM_CACHE_HOME: scratch, HELM_CONFIG_HOME: scratch, HELM_DATA_HOME: scratch }
    return execute(program, args.split(' '), { env: { KUBECONFIG: server.kubeconfig, ...helm }, input })
  }

  for (const [name, program] of Object.entries(programs))
    test(`${name} walks through its verbs`, { skip: program === null ? 'it is not to be had' : false }, async () => {
      const namespace = name === 'kubectl 1.20' ? 'oldest' : 'newest'
      const kubectl = async (args: string, input?: string): Promise<string> => {
        const { code, stdout, stderr } = await run(program!, args, input)
        assert.equal(code, 0, `kubectl ${args}: ${stderr}${stdout}`)
        return stdout
      }
      await kubectl(`create namespace ${namespace}`)
      const own = `-n ${namespace}`
      await kubectl(`${own} create deployment web --image=example.test/web:1`)
      await kubectl(`${own} expose deployment web --port=80`)
      await kubectl(`${own} create configmap settings --from-literal=a=b`)
      assert.match(await kubectl(`${own} get all`), /service\/web [^]*deployment.apps\/web +0\/1/)
      assert.match(await kubectl(`${own} get deploy web -o wide`), /example\.test\/web:1 +app=web/)
      await kubectl(`${own} scale deploy/web --replicas=3`)
      await kubectl(`${own} set image deploy/web web=example.test/web:2`)
      await kubectl(`${own} label deploy/web tier=front`)
      await kubectl(`${own} annotate deploy/web note=yes`)
      for (const [type, patch] of [
        ['strategic', '{"spec":{"minReadySeconds":1}}'],
        ['merge', '{"spec":{"paused":true}}'],
        ['json', '[{"op":"remove","path":"/spec/paused"}]'],
      ])
        await kubectl(`${own} patch deploy web --type=${type} -p ${patch}`)
      assert.match(
        await kubectl(`${own} describe deploy web`),
        /Labels: +app=web\n +tier=front\n[^]*Replicas: +3 desired/,
      )
      const object = JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'applied' },
        data: { a: '1' },
      })
      await kubectl(`${own} apply -f -`, object)
      assert.equal((await run(program!, `${own} diff -f -`, object.replace('"1"', '"2"'))).code, 1)
      await kubectl(`${own} apply --server-side --force-conflicts -f -`, object.replace('"1"', '"2"'))
      assert.equal(await kubectl(`${own} get cm applied -o jsonpath={.data.a}`), '2')
      assert.equal((await kubectl(`${own} auth can-i delete pods`)).trim(), 'yes')
      assert.match(await kubectl('explain deployment.spec.strategy'), /FIELDS:[^]*rollingUpdate/)
      assert.match(await kubectl('api-resources --api-group=apps'), /statefulsets/)
      await kubectl(`${own} delete deploy,svc,cm --all`)
      assert.match((await run(program!, `${own} get deploy web`)).stderr, /deployments.apps "web" not found/)
    })

  test('helm installs, upgrades, rolls back, tells its history and uninstalls', async () => {
    const helm = async (args: string): Promise<string> => {
      const { code, stdout, stderr } = await run(kubernetesClients().helm, args)
      assert.equal(code, 0, `helm ${args}: ${stderr}${stdout}`)
      return stdout
    }
    await helm(`install demo ${ROOT}examples/chart --namespace charts --create-namespace`)
    await helm(`upgrade demo ${ROOT}examples/chart --namespace charts --set greeting=changed`)
    await helm('rollback demo 1 --namespace charts')
    assert.match(await helm('history demo --namespace charts'), /Install complete[^]*Upgrade complete[^]*Rollback to 1/)
    assert.match(await helm('get manifest demo --namespace charts'), /hello/)
    await helm('uninstall demo --namespace charts')
    assert.match(await helm('list --all-namespaces'), /^NAME[^\n]*\n$/)
  })

  test('@kubernetes/client-node: apply, pages, and informers through a crash of the server', async () => {
    const restart = async (): Promise<void> => {
      await server.kill('SIGKILL')
      await server.start()
    }
    const environment = { KUBECONFIG: server.kubeconfig }
    const checks = ['apply', 'reads', 'informers']
    const said = await runChecks({ program: clientProgram('javascript')!, checks, environment, restart })
    assert.equal(said.match(/^passed: /gm)?.length, 3, said)
  })
})
