/** `kubets kubeconfig`: prints where the kubeconfig of a cluster is. */
import type { Command } from 'commander'
import { DEFAULT_NAME, paths } from '#cluster/cluster-state.ts'
import { NAME_FLAG, NAME_HELP, requireCluster } from './cluster-option.ts'

export function register(program: Command): void {
  program
    .command('kubeconfig')
    .description('print the path of the kubeconfig: export KUBECONFIG=$(kubets kubeconfig)')
    .option(NAME_FLAG, NAME_HELP, DEFAULT_NAME)
    .action(async (options: { name: string }) => {
      const state = await requireCluster(options.name)
      process.stdout.write(`${paths.kubeconfig(state.dataDir)}\n`)
    })
}
