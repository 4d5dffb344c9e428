/** The configuration of a node's containerd: crun, overlayfs, ptp networking, and every image asked of the cluster's registry first. */

export type ContainerdOptions = {
  /** Folder that survives restarts: images, containers, snapshots. */
  readonly rootDir: string
  /** Folder with `_default/hosts.toml`. */
  readonly hostsDir: string
  readonly cniConfigDir: string
  readonly cniBinDir: string
  readonly sandboxImage: string
  readonly crunPath: string
  /** False where the kernel lets a negative oom_score_adj be set (CAP_SYS_RESOURCE). */
  readonly restrictOomScore: boolean
}

/** The socket inside the node's own /run. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock'

/** Version 2 of the file: containerd 1.6 reads it as it is, 2.x migrates it. */
export function renderContainerdConfig(options: ContainerdOptions): string {
  return `version = 2
root = ${quote(options.rootDir)}
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "${CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${quote(options.sandboxImage)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  restrict_oom_score_adj = ${options.restrictOomScore}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${quote(options.hostsDir)}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${quote(options.cniBinDir)}
    conf_dir = ${quote(options.cniConfigDir)}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "crun"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun.options]
        BinaryName = ${quote(options.crunPath)}
        SystemdCgroup = false
`
}

/** Every registry's images are asked of ours first; what it does not have comes from the real one. */
export function renderRegistryHosts(registryUrl: string): string {
  return `[host."${registryUrl}"]
  capabilities = ["pull", "resolve"]
`
}

const quote = (text: string): string => JSON.stringify(text)
