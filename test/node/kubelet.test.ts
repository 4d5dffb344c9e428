/** The kubelet with real containers: a private containerd in fresh namespaces, an API server in memory. Needs root and containerd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runInScratchNode, whyNoNode } from './scratch-node.ts'

const problem = whyNoNode()
if (problem !== null) process.stderr.write(`SKIPPED: kubelet with real containers: ${problem}\n`)

test('the kubelet runs real containers', { skip: problem ?? false, timeout: 180_000 }, async () => {
  const { exitCode, output } = await runInScratchNode(fileURLToPath(new URL('kubelet-inside.ts', import.meta.url)))
  assert.equal(exitCode, 0, output)
  // A program that ran no test would also end well.
  assert.match(output, /pass 1[0-9]/, output)
})
