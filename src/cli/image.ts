/** `kubets image load|list`: images for the cluster's own registry, without any other registry. */
import type { Command } from 'commander'
import { DEFAULT_NAME, paths } from '#cluster/cluster-state.ts'
import { ImageStore } from '#cluster/images/image-store.ts'
import { loadImages } from '#cluster/images/load-archive.ts'
import { NAME_FLAG, NAME_HELP, requireCluster } from './cluster-option.ts'

export function register(program: Command): void {
  const image = program.command('image').description('images that the cluster serves from its own registry')
  image
    .command('load')
    .description('import a docker archive, or an OCI layout (tar or folder), with all its images')
    .argument('<path...>')
    .option(NAME_FLAG, NAME_HELP, DEFAULT_NAME)
    .action(async (archives: string[], options: { name: string }) => {
      const folder = paths.images((await requireCluster(options.name)).dataDir)
      for (const archive of archives)
        for (const name of await loadImages(new ImageStore(folder), archive, folder)) process.stdout.write(`${name}\n`)
    })
  image
    .command('list')
    .description('names of the imported images')
    .option(NAME_FLAG, NAME_HELP, DEFAULT_NAME)
    .action(async (options: { name: string }) => {
      const folder = paths.images((await requireCluster(options.name)).dataDir)
      for (const name of await new ImageStore(folder).list()) process.stdout.write(`${name}\n`)
    })
}
