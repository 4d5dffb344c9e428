/** The limits a kubelet has when it is told none. */
import os from 'node:os'
import type { KubeletLimits } from './kubelet-options.ts'

export const DEFAULT_LIMITS: KubeletLimits = {
  podStartsMax: 2 * os.availableParallelism(),
  imagePullsMax: 5,
  execsPerPodMax: 8,
  containerLogBytesMax: 10 * 2 ** 20,
  containerLogFilesMax: 5,
  imageGcHighPercent: 85,
  imageGcLowPercent: 80,
  evictionMemoryAvailableBytes: 100 * 2 ** 20,
  evictionNodeFsAvailablePercent: 10,
}

export const DEFAULT_PODS_MAX = 110
