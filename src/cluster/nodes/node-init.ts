/** The script that makes a node: it becomes PID 1 of fresh namespaces, mounts a machine's folders, starts containerd and the node agent. */

export type NodeInitOptions = {
  readonly name: string
  readonly unifiedCgroups: boolean
  /** v1 hierarchies to mount, by controller list: `cpu`, `cpu,cpuacct`, `name=systemd`. */
  readonly hierarchies: readonly { readonly folder: string; readonly options: string }[]
  readonly pausePath: string
  readonly containerd: { readonly program: string; readonly config: string; readonly log: string }
  readonly agent: { readonly command: readonly string[]; readonly log: string }
}

/**
 * Both programs run in a loop that starts them again when they end. The script ends by becoming the pause program, which reaps what
 * they leave; when it is killed the kernel ends everything in the node: that is a node's crash.
 */
export function renderNodeInit(options: NodeInitOptions): string {
  return `#!/bin/sh
set -e
hostname ${quote(options.name)}
mount --make-rprivate /
mount --make-rshared /
mount -t proc proc /proc
umount -R /sys
mount -t sysfs sysfs /sys
${options.unifiedCgroups ? unifiedMounts() : legacyMounts(options.hierarchies)}
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns /run/containerd
mkdir -p /var/lib/cni
mount -t tmpfs tmpfs /var/lib/cni
echo 1 > /proc/sys/net/ipv4/ip_forward
keep_running() {
  log=$1
  shift
  while :; do
    "$@" >> "$log" 2>&1 || true
    sleep 0.2
  done
}
keep_running ${quote(options.containerd.log)} ${quote(options.containerd.program)} -c ${quote(options.containerd.config)} < /dev/null &
keep_running ${quote(options.agent.log)} ${options.agent.command.map(quote).join(' ')} < /dev/null &
exec ${quote(options.pausePath)}
`
}

function legacyMounts(hierarchies: NodeInitOptions['hierarchies']): string {
  const mounts = hierarchies.map(
    ({ folder, options }) =>
      `mkdir /sys/fs/cgroup/${folder}\nmount -t cgroup -o ${options} cgroup /sys/fs/cgroup/${folder}`,
  )
  return ['mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup', ...mounts].join('\n')
}

/** On v2 only leaves hold processes: the node's own move into \`init\`, pods get \`kubepods\` beside it. */
function unifiedMounts(): string {
  return `mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/init
echo $$ > /sys/fs/cgroup/init/cgroup.procs
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control; done`
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
