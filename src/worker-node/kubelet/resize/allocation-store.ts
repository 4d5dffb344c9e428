/** Remembers resources of pods across restarts of the kubelet: what the node has promised, and what it has given. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '#base/log.ts'
import type { Allocation } from './allocation.ts'
import { parseAllocations } from './parse-allocations.ts'

export class AllocationStore {
  readonly #path: string
  readonly #log: Logger
  #allocations = new Map<string, Allocation>()
  #isDirty = false
  #writing: Promise<void> | null = null

  /** Upstream's names of the files: promised are `allocated_pods_state`, given are `actuated_pods_state`. */
  constructor(rootDir: string, file: 'allocated_pods_state' | 'actuated_pods_state', log: Logger) {
    this.#path = join(rootDir, file)
    this.#log = log
  }

  /** Without a file nothing is promised yet. What cannot be read is as good as none: pods then count with what they ask for. */
  async load(): Promise<void> {
    try {
      const { allocations, damaged } = parseAllocations(await readFile(this.#path, 'utf8'))
      this.#allocations = allocations
      if (damaged.length > 0)
        this.#log.warn('remembered resources of pods could not be read', { path: this.#path, pods: damaged })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#log.warn('remembered resources could not be read', { path: this.#path, error: String(error) })
    }
  }

  get(podUid: string): Allocation | undefined {
    return this.#allocations.get(podUid)
  }

  set(podUid: string, allocation: Allocation): void {
    this.#allocations.set(podUid, allocation)
    this.#save()
  }

  delete(podUid: string): void {
    if (this.#allocations.delete(podUid)) this.#save()
  }

  /** Forgets pods that went while the kubelet did not run. */
  retain(isKnown: (podUid: string) => boolean): void {
    for (const podUid of this.#allocations.keys()) if (!isKnown(podUid)) this.delete(podUid)
  }

  /** Resolves when the newest state is on disk; what could not be written before is tried once more. */
  async flush(): Promise<void> {
    if (this.#isDirty) this.#save()
    while (this.#writing) await this.#writing
  }

  /** Many changes at once are one write. */
  #save(): void {
    this.#isDirty = true
    this.#writing ??= this.#write().then((isWritten) => {
      this.#writing = null
      // A change of just now, between the last look and here.
      if (isWritten && this.#isDirty) this.#save()
    })
  }

  async #write(): Promise<boolean> {
    try {
      while (this.#isDirty) {
        await Promise.resolve()
        this.#isDirty = false
        const temporary = `${this.#path}.tmp`
        await writeFile(temporary, JSON.stringify(Object.fromEntries(this.#allocations)), { mode: 0o600 })
        await rename(temporary, this.#path)
      }
      return true
    } catch (error) {
      this.#isDirty = true
      this.#log.warn('remembered resources could not be written', { path: this.#path, error: String(error) })
      return false
    }
  }
}
