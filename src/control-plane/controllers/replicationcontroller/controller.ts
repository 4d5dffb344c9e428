/** Keeps the number of pods of each ReplicationController: the loop of ReplicaSets over the older kind. */
import type { ReplicaSet } from '#api/apps/v1.gen.ts'
import { REPLICATIONCONTROLLERS } from '#api/resources.gen.ts'
import type { ResourceRef } from '#api/resource-ref.ts'
import type { ControllerContext } from '../controller.ts'
import { ReplicaSetController, type ReplicaKind } from '../replicaset/controller.ts'

const KIND: ReplicaKind = {
  controller: 'replicationcontroller-controller',
  // The two kinds have the same fields, but for the selector.
  resource: REPLICATIONCONTROLLERS as unknown as ResourceRef<ReplicaSet>,
  selectorOf: ({ spec }) => ({ matchLabels: spec.selector as unknown as Record<string, string> }),
}

export class ReplicationControllerController extends ReplicaSetController {
  constructor(context: ControllerContext) {
    super(context, KIND)
  }
}
