/** Kubeconfig files: ours read back, those of others with their paths, and what is wrong said plainly. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { KubeconfigError, inClusterConfig, loadKubeconfig, renderKubeconfig } from './kubeconfig.ts'

let folder: string
before(async () => (folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))))
after(() => rm(folder, { recursive: true }))

async function load(text: string, context?: string): ReturnType<typeof loadKubeconfig> {
  const path = join(folder, 'config')
  await writeFile(path, text)
  return loadKubeconfig(path, context)
}

test('what is written is read back', async () => {
  const config = {
    server: 'https://10.0.0.1:6443',
    certificateAuthority: '-----BEGIN CERTIFICATE-----\nca\n',
    clientCertificate: 'certificate',
    clientKey: 'key',
    namespace: 'shop',
  }
  assert.deepEqual(await load(renderKubeconfig(config, { cluster: 'kubets', user: 'admin' })), config)
  const token = { server: 'https://h', tokenFile: '/var/run/token', tlsServerName: 'api' }
  assert.deepEqual(await load(renderKubeconfig(token, { cluster: 'c', user: 'u' })), token)
})

test('paths are relative to the file, the context can be chosen', async () => {
  await writeFile(join(folder, 'ca.crt'), 'the ca')
  const text = `
current-context: one
clusters:
- {name: c1, cluster: {server: https://one/, certificate-authority: ca.crt}}
- {name: c2, cluster: {server: https://two, insecure-skip-tls-verify: true}}
users:
- {name: u, user: {token: t, tokenFile: token}}
contexts:
- {name: one, context: {cluster: c1, user: u}}
- {name: two, context: {cluster: c2}}
`
  const one = await load(text)
  assert.deepEqual(one, {
    server: 'https://one',
    certificateAuthority: 'the ca',
    token: 't',
    tokenFile: join(folder, 'token'),
  })
  assert.deepEqual(await load(text, 'two'), { server: 'https://two', insecureSkipTlsVerify: true })
})

test('what is wrong is said', async () => {
  const isError = (pattern: RegExp) => (error: Error) => error instanceof KubeconfigError && pattern.test(error.message)
  await assert.rejects(load('a: [', undefined), isError(/is no YAML/))
  await assert.rejects(load(''), isError(/is empty/))
  await assert.rejects(load('current-context: x'), isError(/there is no "x" in contexts/))
  await assert.rejects(loadKubeconfig(join(folder, 'none')), isError(/cannot read kubeconfig .*none/))
  await assert.rejects(inClusterConfig({}), isError(/not in a pod/))
})
