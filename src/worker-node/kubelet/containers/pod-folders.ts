/** Where the files of pods and containers lie on the node; upstream's layout. */
import { join } from 'node:path'

type Named = { readonly metadata: { readonly namespace?: string; readonly name: string; readonly uid: string } }

/** Termination messages of a container, one file per attempt. */
export function containerFolder(rootDir: string, podUid: string, containerName: string): string {
  return join(rootDir, 'pods', podUid, 'containers', containerName)
}

/** Name of the pod's folder below `/var/log/pods`. */
export const podLogFolder = ({ metadata }: Named): string =>
  `${metadata.namespace ?? 'default'}_${metadata.name}_${metadata.uid}`
