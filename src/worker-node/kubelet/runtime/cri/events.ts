/** Tells at once when a container starts or dies: containerd's own event service, or CRI's where there is no containerd. */
import { fromBinary } from '@bufbuild/protobuf'
import { isGrpcCode, GRPC_UNIMPLEMENTED, type GrpcClient } from '../grpc-client.ts'
import { Events, TaskExitSchema } from '../proto/containerd-events_pb.ts'
import type { Envelope } from '../proto/containerd-events_pb.ts'
import { ContainerEventType, RuntimeService } from '../proto/cri_pb.ts'
import type { RuntimeEvent } from '../runtime-service.ts'

const CRI_TYPES: Record<number, RuntimeEvent['type']> = {
  [ContainerEventType.CONTAINER_STARTED_EVENT]: 'started',
  [ContainerEventType.CONTAINER_STOPPED_EVENT]: 'exited',
  [ContainerEventType.CONTAINER_DELETED_EVENT]: 'removed',
}

/** containerd names CRI's containers with this namespace; image builds and others use theirs. Only deaths are news: the kubelet itself starts. */
const FILTER = 'namespace==k8s.io,topic=="/tasks/exit"'

export async function* runtimeEvents(client: GrpcClient, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  try {
    for await (const envelope of client.stream(Events.method.subscribe, { filters: [FILTER] }, signal)) {
      const event = describeExit(envelope)
      if (event) yield event
    }
  } catch (error) {
    if (!isGrpcCode(error, GRPC_UNIMPLEMENTED)) throw error
    yield* criEvents(client, signal)
  }
}

async function* criEvents(client: GrpcClient, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  for await (const event of client.stream(RuntimeService.method.getContainerEvents, {}, signal)) {
    const type = CRI_TYPES[event.containerEventType]
    if (type) yield { type, id: event.containerId }
  }
}

/** The exit of an exec carries another id than the container's and is nobody's death. */
function describeExit(envelope: Envelope): RuntimeEvent | null {
  if (!envelope.event) return null
  const { containerId, id } = fromBinary(TaskExitSchema, envelope.event.value)
  return id === containerId ? { type: 'exited', id: containerId } : null
}
