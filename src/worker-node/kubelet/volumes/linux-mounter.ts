/** Mounts with the system's own programs, in the mount namespace of this process. */
import { readFile } from 'node:fs/promises'
import { runCommand } from '#base/run-command.ts'
import type { Mounter } from './mounter.ts'

export class LinuxMounter implements Mounter {
  async mountTmpfs(path: string, options: { readonly sizeBytes?: number; readonly mode: number }): Promise<void> {
    const size = options.sizeBytes === undefined ? '' : `,size=${options.sizeBytes}`
    await runCommand('mount', ['-t', 'tmpfs', '-o', `mode=${options.mode.toString(8)}${size}`, 'tmpfs', path])
  }

  async bindMount(source: string, target: string, options: { readonly readOnly: boolean }): Promise<void> {
    await runCommand('mount', ['--bind', source, target])
    if (options.readOnly) await runCommand('mount', ['-o', 'remount,bind,ro', target])
  }

  async unmount(path: string): Promise<void> {
    for (const point of await this.mountsBelow(path)) if (point === path) await runCommand('umount', [path])
  }

  async mountsBelow(path: string): Promise<string[]> {
    const points = (await readFile('/proc/self/mounts', 'utf8'))
      .split('\n')
      .map((line) => unescapeOctal(line.split(' ')[1] ?? ''))
      .filter((point) => point === path || point.startsWith(`${path}/`))
    return points.sort((a, b) => b.length - a.length)
  }
}

/** The kernel writes blanks and such as `\040`. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)))
}
