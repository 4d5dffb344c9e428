/** Lets containerd 2.x work with the crun of Debian 12 and Ubuntu 24.04, which refuses the newer version that containerd writes. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runCommand } from '#base/run-command.ts'

/** Came with containerd 1.x only: 2.0 took it away. Looking for it is cheaper than asking containerd for its version (50 ms). */
const SHIM_OF_1X = 'containerd-shim-runc-v1'
/** Of the runtime specification, as containerd 2.2 and later write it. */
const NEWEST_SPEC = '1.3.0'
/** What every crun reads. Its version changes nothing else: crun reads the fields that it knows, whatever the version says. */
const OLDEST_SPEC = '1.0.2'

export type Runtimes = { readonly containerd: string; readonly crun: string }

/** The program that containerd is to call for `crun`: crun itself, or a script in `folder` that first lowers the version. */
export async function crunProgram({ containerd, crun }: Runtimes, folder: string): Promise<string> {
  const isNewContainerd = !existsSync(join(dirname(containerd), SHIM_OF_1X))
  if (!isNewContainerd || (await acceptsNewestSpec(crun))) return crun
  const program = join(folder, 'crun')
  await writeFile(program, renderWrapper(crun), { mode: 0o755 })
  return program
}

/** crun looks at the version before anything else, so that a container which cannot be made is enough to ask. */
async function acceptsNewestSpec(crun: string): Promise<boolean> {
  const bundle = await mkdtemp(join(tmpdir(), 'kubets-crun-'))
  try {
    const config = { ociVersion: NEWEST_SPEC, process: { args: ['/'], cwd: '/', terminal: true }, root: { path: '/' } }
    await mkdir(join(bundle, 'state'))
    await writeFile(join(bundle, 'config.json'), JSON.stringify(config))
    const args = ['--root', join(bundle, 'state'), 'create', '--bundle', bundle, 'probe']
    return await runCommand(crun, args).then(
      () => true,
      (error: unknown) => !/unknown version specified/.test(String(error)),
    )
  } finally {
    await rm(bundle, { recursive: true, force: true })
  }
}

/** Only `create` names a bundle. */
export const renderWrapper = (crun: string): string => `#!/bin/sh
previous=
for word; do
  if [ "$previous" = --bundle ]; then
    sed -i 's/"ociVersion": *"[^"]*"/"ociVersion":"${OLDEST_SPEC}"/' "$word/config.json"
  fi
  previous=$word
done
exec '${crun.replaceAll("'", String.raw`'\''`)}' "$@"
`
