/** The mounts that volumes need in the node's mount namespace; injected, so that tests and simulations mount nothing. */

export interface Mounter {
  /** A tmpfs; `sizeBytes` undefined leaves the kernel's own limit. Parent folders exist. */
  mountTmpfs(path: string, options: { readonly sizeBytes?: number; readonly mode: number }): Promise<void>
  bindMount(source: string, target: string, options: { readonly readOnly: boolean }): Promise<void>
  /** Succeeds for a path that is not mounted. */
  unmount(path: string): Promise<void>
  /** Mount points at or below `path`, deepest first. */
  mountsBelow(path: string): Promise<string[]>
}
