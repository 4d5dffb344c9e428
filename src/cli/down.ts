/** `kubets down`: stops a cluster and removes everything of it from this machine. */
import type { Command } from 'commander'
import { SystemClock } from '#base/clock.ts'
import { withClusterLock } from '#cluster/cluster-lock.ts'
import { DEFAULT_NAME } from '#cluster/cluster-state.ts'
import { takeDown } from '#cluster/down.ts'
import { NAME_FLAG, NAME_HELP, requireCluster } from './cluster-option.ts'
import { createProgress } from './progress.ts'

export function register(program: Command): void {
  program
    .command('down')
    .description('stop a cluster and remove everything of it')
    .option(NAME_FLAG, NAME_HELP, DEFAULT_NAME)
    .option('--keep-data', 'keep its objects, pods and images for the next up', false)
    .action(async (options: { name: string; keepData: boolean }) => {
      const state = await requireCluster(options.name)
      const progress = createProgress(process.stderr)
      const clock = new SystemClock({ keepsProcessAlive: true })
      const report = (box: string, text: string): void => progress.report(box, text)
      const waiting = (): void => report('machine', 'another command works on this cluster: waiting for it')
      // Read again: the command that was waited for may have given it nodes, or have taken it away.
      await withClusterLock({ name: state.name, clock, waiting }, async () =>
        takeDown({ state: await requireCluster(state.name), keepData: options.keepData, clock, progress: report }),
      )
      const rest = options.keepData ? `its data is kept in ${state.dataDir}` : 'nothing of it is left'
      process.stdout.write(`cluster "${state.name}" is down: ${rest}\n`)
    })
}
