/** bin/kube-proxy as a process of its own, in a network namespace where its rules disturb nobody. */
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const INSIDE = new URL('kube-proxy-inside.ts', import.meta.url).pathname
const node = [process.execPath, '--disable-warning=ExperimentalWarning'] as const
const skip = process.getuid?.() === 0 ? false : 'network namespaces need root'

test('kube-proxy alone: ClusterIP, NodePort, refusal, restart, clean-up', { skip, timeout: 60_000 }, async () => {
  await promisify(execFile)('unshare', ['--net', ...node, INSIDE])
})
