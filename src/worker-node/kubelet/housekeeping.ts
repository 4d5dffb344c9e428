/** What a node has to do now and then: rotate logs, remove unused images, evict pods when memory or disk run out. */
import { join } from 'node:path'
import { statfs } from 'node:fs/promises'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { CgroupManager } from './cgroups/cgroup-manager.ts'
import { podCgroupPath } from './cgroups/pod-cgroups.ts'
import { podLogFolder } from './containers/pod-folders.ts'
import { planEvictions, pressureOf, type NodeLoad, type PodLoad, type Pressure } from './eviction/plan-eviction.ts'
import { diskAvailablePercent, memoryAvailableBytes } from './eviction/read-load.ts'
import { hasImageDisk, readPodStorage, type StorageSources } from './eviction/read-storage.ts'
import { planImageGc } from './images/plan-image-gc.ts'
import type { KubeletLimits } from './kubelet-options.ts'
import { rotateLog } from './logs/rotate-logs.ts'
import type { Verdict } from './pods/pod-memory.ts'
import { POD_UID_LABEL } from './runtime/labels.ts'
import type { RuntimeService } from './runtime/runtime-service.ts'

export type HousekeepingOptions = {
  readonly runtime: RuntimeService
  readonly cgroups: CgroupManager
  readonly clock: Clock
  readonly log: Logger
  readonly limits: KubeletLimits
  readonly rootDir: string
  readonly podLogsDir: string
  readonly lastUsedMs: ReadonlyMap<string, number>
  activePods(): readonly Pod[]
  evict(pod: Pod, verdict: Verdict): void
  /** Of the filesystem with the images nothing is known. */
  onInvalidDisk(message: string): void
  /** The node came under pressure, or it passed. */
  onPressure(pressure: Pressure): void
}

type Measured = Pick<StorageSources, 'containers' | 'layerBytes'> & { readonly hasImageDisk: boolean }

const ROUND_MS = 10_000
/** Images are looked at every five minutes, and at once when the disk is full. */
const IMAGE_ROUNDS = 30
/** So long after the last sign of pressure the node counts as well again. */
const RELIEF_MS = 300_000

const NOT_MEASURED: Measured = { containers: [], layerBytes: new Map(), hasImageDisk: false }

const limitsStorage = ({ spec }: Pod): boolean =>
  [...spec.containers, ...(spec.initContainers ?? [])].some(
    ({ resources }) => resources?.limits?.['ephemeral-storage'] !== undefined,
  )

export class Housekeeping {
  readonly #options: HousekeepingOptions
  readonly #stop = new AbortController()
  #pressure: Pressure = { memory: false, disk: false }
  readonly #lastSeenMs = { memory: -Infinity, disk: -Infinity }

  constructor(options: HousekeepingOptions) {
    this.#options = options
  }

  get pressure(): Pressure {
    return this.#pressure
  }

  start(): void {
    void this.#loop()
  }

  stop(): void {
    this.#stop.abort(new Error('kubelet stopped'))
  }

  async #loop(): Promise<void> {
    const { clock, log } = this.#options
    const { signal } = this.#stop
    for (let round = 1; !signal.aborted; round++) {
      await clock.sleep(ROUND_MS, signal).catch(() => {}) // Aborted: the loop ends.
      if (signal.aborted) return
      for (const duty of [
        () => this.#rotateLogs(),
        () => this.#relieve(),
        () => (round % IMAGE_ROUNDS === 0 || this.#pressure.disk ? this.#removeImages() : Promise.resolve()),
      ])
        await duty().catch((error: unknown) => log.warn('housekeeping failed', { error: String(error) }))
    }
  }

  async #rotateLogs(): Promise<void> {
    const { runtime, clock, limits, podLogsDir, activePods, log } = this.#options
    const pods = new Map(activePods().map((pod) => [pod.metadata.uid, pod]))
    const rotation = {
      runtime,
      nowMs: clock.now(),
      bytesMax: limits.containerLogBytesMax,
      filesMax: limits.containerLogFilesMax,
    }
    for (const container of await runtime.listContainers()) {
      const pod = pods.get(container.labels[POD_UID_LABEL] ?? '')
      if (!pod || container.state !== 'running') continue
      const path = join(podLogsDir, podLogFolder(pod), container.name, `${container.attempt}.log`)
      await rotateLog(path, container.id, rotation).catch((error: unknown) =>
        log.warn('log could not be rotated', { path, error: String(error) }),
      )
    }
  }

  async #relieve(): Promise<void> {
    const { rootDir, limits, activePods, evict, clock } = this.#options
    const diskPercent = await diskAvailablePercent(rootDir)
    // Asking the runtime costs it milliseconds for each container: only where the answer decides something.
    const isWanted = diskPercent < limits.evictionNodeFsAvailablePercent || activePods().some(limitsStorage)
    const measured = isWanted ? await this.#measureContainers() : NOT_MEASURED
    const load: NodeLoad = {
      memoryAvailableBytes: await memoryAvailableBytes(),
      memoryThresholdBytes: limits.evictionMemoryAvailableBytes,
      diskAvailablePercent: diskPercent,
      diskThresholdPercent: limits.evictionNodeFsAvailablePercent,
      hasImageDisk: measured.hasImageDisk,
    }
    this.#notePressure(pressureOf(load), clock.now())
    const pods = await Promise.all(activePods().map((pod) => this.#loadOf(pod, measured)))
    for (const { pod, verdict } of planEvictions(load, pods)) evict(pod, verdict)
  }

  /** Memory can be short at the same time: that is not to wait for a runtime that does not answer. */
  async #measureContainers(): Promise<Measured> {
    const { runtime, rootDir, log } = this.#options
    try {
      const [containers, layerBytes, ownDisk] = await Promise.all([
        runtime.listContainers(),
        runtime.writableLayers(),
        hasImageDisk(runtime, rootDir),
      ])
      return { containers, layerBytes, hasImageDisk: ownDisk }
    } catch (error) {
      log.warn('storage of containers could not be measured', { error: String(error) })
      return NOT_MEASURED
    }
  }

  async #loadOf(pod: Pod, measured: Measured): Promise<PodLoad> {
    const { cgroups, rootDir, podLogsDir } = this.#options
    const usage = await cgroups.usage(podCgroupPath(pod))
    const storage = await readPodStorage(pod, { rootDir, podLogsDir, ...measured })
    return { pod, memoryBytes: usage?.memoryWorkingSetBytes ?? 0, storage }
  }

  #notePressure(now: Pressure, nowMs: number): void {
    if (now.memory) this.#lastSeenMs.memory = nowMs
    if (now.disk) this.#lastSeenMs.disk = nowMs
    const lasting = {
      memory: nowMs - this.#lastSeenMs.memory < RELIEF_MS,
      disk: nowMs - this.#lastSeenMs.disk < RELIEF_MS,
    }
    const changed = lasting.memory !== this.#pressure.memory || lasting.disk !== this.#pressure.disk
    this.#pressure = lasting
    if (changed) this.#options.onPressure(lasting)
  }

  async #removeImages(): Promise<void> {
    const { runtime, limits, lastUsedMs, log, onInvalidDisk } = this.#options
    const filesystem = await runtime.imageFilesystem()
    if (!filesystem?.mountpoint) return
    const disk = await statfs(filesystem.mountpoint)
    if (disk.blocks === 0) {
      onInvalidDisk('invalid capacity 0 on image filesystem')
      return
    }
    const containers = await runtime.listContainers()
    const details = await Promise.all(containers.map(({ id }) => runtime.containerStatus(id)))
    const used = new Set(details.flatMap((detail) => (detail ? [detail.image, detail.imageRef, detail.imageId] : [])))
    const doomed = planImageGc({
      images: await runtime.listImages(),
      used,
      lastUsedMs,
      capacityBytes: disk.blocks * disk.bsize,
      usedBytes: (disk.blocks - disk.bavail) * disk.bsize,
      highPercent: limits.imageGcHighPercent,
      lowPercent: limits.imageGcLowPercent,
    })
    for (const image of doomed) {
      log.info('removing an unused image', { image: image.tags[0] ?? image.id, bytes: image.sizeBytes })
      await runtime.removeImage(image.id)
    }
  }
}
