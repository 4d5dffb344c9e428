/** How much storage a driver has left in a topology. */
import type { CSIStorageCapacity } from '#api/storage/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { csiStorageCapacityStrategy } from './strategy.ts'

export const csiStorageCapacityKind = defineKind<CSIStorageCapacity>('storage.k8s.io/v1/csistoragecapacities', {
  strategy: csiStorageCapacityStrategy,
})
