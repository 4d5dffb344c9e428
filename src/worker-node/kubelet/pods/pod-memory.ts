/** What a worker remembers of its pod between two rounds. */
import type { Pod } from '#api/core/v1.gen.ts'
import { resizeStateOf, type ResizeState } from '../resize/resize-state.ts'
import { Semaphore } from '../semaphore.ts'
import type { Waiting } from './container-status.ts'
import { Backoff } from './restart-backoff.ts'

export type Verdict = { readonly reason: string; readonly message: string }

export class PodMemory {
  /** The newest version that the API server (or the manifest folder) gave, with the resources that the node has promised. */
  pod: Pod
  readonly startTimeMs: number
  /** Why the kubelet itself ends the pod, if it does. */
  verdict: Verdict | null = null
  resize: ResizeState
  readonly backoff = new Backoff()
  /** Why containers that are due do not run, by name. */
  readonly waiting = new Map<string, Waiting>()
  /** By container id; also says whose death was already noted. */
  readonly terminationMessages = new Map<string, string>()
  /** Containers whose kill has begun, by id. */
  readonly killing = new Set<string>()
  readonly execs: Semaphore
  /** Failed rounds in a row, for the wait before the next. */
  failures = 0

  constructor(pod: Pod, options: { readonly nowMs: number; readonly execsMax: number }) {
    this.pod = pod
    this.resize = resizeStateOf(pod)
    this.startTimeMs = pod.status?.startTime === undefined ? options.nowMs : Date.parse(pod.status.startTime)
    this.execs = new Semaphore(options.execsMax)
  }
}
