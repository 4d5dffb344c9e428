/** bin/kube-proxy as a process of its own, in a network namespace where its rules disturb nobody. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const INSIDE = new URL('kube-proxy-inside.ts', import.meta.url).pathname
const PROXY = new URL('../../bin/kube-proxy.ts', import.meta.url).pathname
const node = [process.execPath, '--disable-warning=ExperimentalWarning'] as const
const skip = process.getuid?.() === 0 ? false : 'network namespaces need root'

test('kube-proxy alone: ClusterIP, NodePort, refusal, restart, clean-up', { skip, timeout: 60_000 }, async () => {
  await promisify(execFile)('unshare', ['--net', ...node, INSIDE])
})

test('kube-proxy tells a wrong flag or kubeconfig in one line', () => {
  for (const [args, words] of [
    [[], /^kube-proxy: --cluster-cidr is missing\n$/],
    [['--bogus'], /^error: unknown option '--bogus'\n$/],
    [['--cluster-cidr=10.0.0.0/8', '--kubeconfig=/none'], /^kube-proxy: cannot read kubeconfig \/none: ENOENT.*\n$/],
  ] as const) {
    const { status, stderr } = spawnSync(node[0], [node[1], PROXY, ...args], { encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, words)
  }
})
