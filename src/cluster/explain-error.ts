/** The one line that tells a user what went wrong, for errors that are no defects of this program. */
import { CommandError } from '#base/run-command.ts'
import { KubeconfigError } from '#client/kubeconfig.ts'
import { NeverReadyError } from '#control-plane/apiserver/never-ready-error.ts'
import { StoreUnusableError } from '#control-plane/store/store.ts'
import { ClusterError } from './cluster-state.ts'
import { FlagError } from './flags.ts'
import { ImageArchiveError } from './images/load-archive.ts'

/** Their messages tell all there is to know. */
const EXPECTED_ERRORS = [
  ClusterError,
  CommandError,
  FlagError,
  ImageArchiveError,
  KubeconfigError,
  NeverReadyError,
  StoreUnusableError,
]

/** What the machine refuses, by its error codes. */
const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not: run it as root, or as the owner of the cluster',
  EPERM: 'this user may not: run it as root, or as the owner of the cluster',
  EROFS: 'the file system is read-only: give another folder with --data-dir',
  ENOSPC: 'the disk is full: free some space, or give another folder with --data-dir',
  EDQUOT: "this user's share of the disk is full: free some space, or give another folder with --data-dir",
  EADDRINUSE: 'another program has that port: give another one',
  EADDRNOTAVAIL: 'this machine has no such address: give one of its own',
  ENOTDIR: 'a file is where a folder should be: give another folder with --data-dir',
}

/** Null for a defect, whose stack is wanted. */
export function explainError(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  if (EXPECTED_ERRORS.some((kind) => error instanceof kind)) return error.message
  const { code = '', path } = error as NodeJS.ErrnoException
  const advice = REFUSALS[code]
  if (advice !== undefined) return `${error.message}: ${advice}`
  // A file that is missing or cannot be read: the message names it.
  return path === undefined ? null : error.message
}
