/** `kubets status`: what runs of a cluster, what it costs, and what is wrong. */
import type { Command } from 'commander'
import { SystemClock } from '#base/clock.ts'
import { BoxError, commandLine, DEFAULT_NAME, nodeNames, type ClusterState } from '#cluster/cluster-state.ts'
import { createProbe, isApiReady, isNodeReady, listNodes } from '#cluster/probe.ts'
import { readStatus, type BoxStatus, type ProcessCost } from '#cluster/status.ts'
import { NAME_FLAG, NAME_HELP, requireCluster } from './cluster-option.ts'

/** CPU use is measured over this time. */
const SAMPLE_MS = 500
const MEBIBYTE = 1024 * 1024

export function register(program: Command): void {
  program
    .command('status')
    .description('what runs, what it costs and what is wrong; exit code 1 when something is')
    .option(NAME_FLAG, NAME_HELP, DEFAULT_NAME)
    .action(async (options: { name: string }) => {
      const state = await requireCluster(options.name)
      const before = await readStatus(state)
      await new SystemClock({ keepsProcessAlive: true }).sleep(SAMPLE_MS)
      const after = await readStatus(state)
      process.stdout.write(renderTable(before, after))
      const problems = await findProblems(state, after)
      for (const problem of problems) process.stdout.write(`problem: ${problem}\n`)
      if (problems.length > 0) process.exitCode = 1
    })
}

/** One line per box, with the processes of a kind added up below it. */
function renderTable(before: readonly BoxStatus[], after: readonly BoxStatus[]): string {
  const cpuBefore = new Map(
    before.flatMap(({ processes }) => processes.map(({ pid, cpuSeconds }) => [pid, cpuSeconds] as const)),
  )
  const percent = ({ pid, cpuSeconds }: ProcessCost): number =>
    ((cpuSeconds - (cpuBefore.get(pid) ?? cpuSeconds)) / (SAMPLE_MS / 1000)) * 100
  const lines = [row('BOX', 'PROCESSES', 'MEMORY', 'CPU')]
  for (const { box, processes } of after) {
    lines.push(costRow(box, processes, percent))
    for (const [name, group] of Map.groupBy(processes, (cost) => cost.name))
      lines.push(costRow(`  ${name}`, group, percent))
  }
  lines.push(
    costRow(
      'all',
      after.flatMap(({ processes }) => processes),
      percent,
    ),
  )
  return `${lines.join('\n')}\n`
}

function costRow(name: string, processes: readonly ProcessCost[], percent: (cost: ProcessCost) => number): string {
  const memory = processes.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
  const cpu = processes.reduce((sum, cost) => sum + percent(cost), 0)
  return row(name, String(processes.length), `${(memory / MEBIBYTE).toFixed(1)} MiB`, `${cpu.toFixed(1)} %`)
}

const row = (name: string, count: string, memory: string, cpu: string): string =>
  `${name.padEnd(24)}${count.padStart(9)}${memory.padStart(14)}${cpu.padStart(10)}`

async function findProblems(state: ClusterState, boxes: readonly BoxStatus[]): Promise<string[]> {
  if (boxes.every(({ processes }) => processes.length === 0))
    return [`nothing runs; its data is kept in ${state.dataDir}; start it with: ${commandLine('up', state.name)}`]
  const problems = boxes
    .filter(({ processes }) => processes.length === 0)
    .map(({ box }) => `${box} does not run; start it with: ${commandLine('up', state.name)}`)
  const probe = await createProbe(state)
  if (!(await isApiReady(probe)))
    return [...problems, new BoxError('control-plane', 'the API server is not ready', state.name).message]
  const nodes = await listNodes(probe)
  for (const name of nodeNames(state)) {
    const node = nodes.find((candidate) => candidate.metadata.name === name)
    if (node === undefined) problems.push(new BoxError(name, `${name} is not registered`, state.name).message)
    else if (!isNodeReady(node)) {
      const condition = node.status?.conditions?.find(({ type }) => type === 'Ready')
      problems.push(`${name} is not ready: ${condition?.message ?? 'no condition reported'}`)
    }
  }
  return problems
}
