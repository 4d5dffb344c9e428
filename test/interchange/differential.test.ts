/**
 * A real kube-apiserver and ours are asked the same random questions from one seed: what they answer differently may not grow.
 * `DIFFERENTIAL_SEED` and `DIFFERENTIAL_SCENARIOS` change it; `node test/differential/run.ts` shows each difference in full.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { compareServers } from '../differential/compare-servers.ts'
import { Server } from '../differential/server.ts'
import { ApiServerProcess, freePort } from '../tools/api-server-process.ts'
import { reasonToSkip, startPeer } from './peer-control-plane.ts'

const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 1)
const SCENARIOS = Number(process.env['DIFFERENTIAL_SCENARIOS'] ?? 1500)
/** What is known and accepted today, in a thousand requests. */
const DIFFERENCES_PER_THOUSAND_MAX = 15
const skip = reasonToSkip() ?? false

test(`random questions are answered like the real server does (seed ${SEED})`, { skip, timeout: 600_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubets-differential-'))
  const ours = new ApiServerProcess(folder, await freePort())
  const peer = startPeer(19_400)
  try {
    await ours.start()
    const servers = { theirs: await Server.of(peer.kubeconfig), ours: await Server.of(ours.kubeconfig) }
    const { differences, requests } = await compareServers(servers, { seed: SEED, from: 0, scenarios: SCENARIOS })
    const lines = differences.map(({ kind, what, line, scenario }) => `#${scenario} ${kind} ${what}: ${line}`)
    assert.ok(
      lines.length * 1000 <= requests * DIFFERENCES_PER_THOUSAND_MAX,
      `${lines.length} differences in ${requests} requests:\n${lines.join('\n')}`,
    )
    servers.theirs.close()
    servers.ours.close()
  } finally {
    await ours.kill('SIGTERM')
    peer.down()
    await rm(folder, { recursive: true, force: true })
  }
})
