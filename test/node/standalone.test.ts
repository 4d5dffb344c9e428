/** The kubelet as a process of its own, with real containers and an API server beside it. Needs root and containerd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runInScratchNode, whyNoNode } from './scratch-node.ts'

const problem = whyNoNode()
if (problem !== null) process.stderr.write(`SKIPPED: the kubelet as a process: ${problem}\n`)

test('the kubelet as a process', { skip: problem ?? false, timeout: 60_000 }, async () => {
  const { exitCode, output } = await runInScratchNode(fileURLToPath(new URL('standalone-inside.ts', import.meta.url)))
  assert.equal(exitCode, 0, output)
  // A program that ran no test would also end well.
  assert.match(output, /pass 6/, output)
})
