/**
 * Asks a real kube-apiserver and ours the same and prints what they answer differently, grouped by kind:
 * `node test/differential/run.ts --theirs KUBECONFIG --ours KUBECONFIG [--seed N] [--scenarios N] [--from N] [--only REGEX] [--show]`.
 */
import { parseArgs } from 'node:util'
import { compareServers, type Difference } from './compare-servers.ts'
import { Server } from './server.ts'

const { values } = parseArgs({
  options: {
    theirs: { type: 'string' },
    ours: { type: 'string' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    scenarios: { type: 'string', default: '1000' },
    only: { type: 'string' },
    show: { type: 'boolean', default: false },
  },
})
if (values.theirs === undefined || values.ours === undefined) throw new Error('--theirs and --ours name kubeconfigs')
const servers = { theirs: await Server.of(values.theirs), ours: await Server.of(values.ours) }
const { differences, requests } = await compareServers(servers, {
  seed: Number(values.seed),
  from: Number(values.from),
  scenarios: Number(values.scenarios),
  ...(values.only === undefined ? {} : { only: new RegExp(values.only) }),
})
const groups = Map.groupBy(differences, ({ kind, what, line }) => `${kind} ${what}: ${line}`)
for (const [title, group] of [...groups].toSorted((a, b) => b[1].length - a[1].length)) {
  console.log(
    `${group.length} × ${title}   (${group
      .slice(0, 3)
      .map(({ scenario }) => `#${scenario}`)
      .join(' ')})`,
  )
  if (values.show) show(group[0]!)
}
console.log(`${requests} requests, ${differences.length} differences in ${groups.size} groups, seed ${values.seed}`)
servers.theirs.close()
servers.ours.close()

function show({ step, theirs, ours }: Difference): void {
  console.log(`  ${step.method} ${step.path} ${JSON.stringify(step.headers ?? {})}\n  ${JSON.stringify(step.body)}`)
  console.log(
    `  theirs: ${theirs.code} ${theirs.text} ${theirs.warnings.join()}\n  ours:   ${ours.code} ${ours.text} ${ours.warnings.join()}\n`,
  )
}
