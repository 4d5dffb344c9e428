/** The configuration of a container, as CRI takes it. */
import { join } from 'node:path'
import type { Container, Pod } from '#api/core/v1.gen.ts'
import {
  CONTAINER_HASH,
  CONTAINER_NAME_LABEL,
  POD_NAME_LABEL,
  POD_NAMESPACE_LABEL,
  POD_TERMINATION_GRACE_PERIOD,
  POD_UID_LABEL,
  RESTART_COUNT,
  TERMINATION_MESSAGE_PATH,
  TERMINATION_MESSAGE_POLICY,
} from '../runtime/labels.ts'
import { Signal } from '../runtime/proto/cri_pb.ts'
import type { ContainerConfig, Image } from '../runtime/runtime-service.ts'
import { containerHash } from '../pods/pod-facts.ts'
import { expandReferences } from './expand.ts'
import { containerResources } from './resources.ts'
import { containerSecurityContext } from './security-context.ts'

export const DEFAULT_TERMINATION_MESSAGE_PATH = '/dev/termination-log'

export type ContainerInputs = {
  readonly attempt: number
  /** The image to run, by the id that the pull gave. */
  readonly image: Image
  readonly imageRef: string
  readonly environment: ReadonlyMap<string, Buffer>
  readonly mounts: NonNullable<ContainerConfig['mounts']>
  readonly devices: NonNullable<ContainerConfig['devices']>
  readonly memoryCapacity: number
  readonly seccompDir: string
  readonly targetId?: string
}

export function containerConfig(pod: Pod, container: Container, inputs: ContainerInputs): ContainerConfig {
  const { name: podName, namespace = 'default', uid } = pod.metadata
  const text = new Map([...inputs.environment].map(([name, value]) => [name, value.toString()]))
  const expand = (words: readonly string[] | undefined): string[] =>
    (words ?? []).map((word) => expandReferences(word, text))
  const stopSignal = container.lifecycle?.stopSignal
  return {
    metadata: { name: container.name, attempt: inputs.attempt },
    image: { image: inputs.imageRef, userSpecifiedImage: container.image ?? '' },
    command: expand(container.command),
    args: expand(container.args),
    workingDir: container.workingDir ?? '',
    envs: [...inputs.environment].map(([key, value]) => ({ key, value })),
    mounts: inputs.mounts,
    devices: inputs.devices,
    labels: {
      [CONTAINER_NAME_LABEL]: container.name,
      [POD_NAME_LABEL]: podName,
      [POD_NAMESPACE_LABEL]: namespace,
      [POD_UID_LABEL]: uid,
    },
    annotations: annotationsOf(pod, container, inputs.attempt),
    logPath: join(container.name, `${inputs.attempt}.log`),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    ...(stopSignal !== undefined && { stopSignal: signalOf(stopSignal) }),
    linux: {
      resources: containerResources(pod, container, inputs.memoryCapacity),
      securityContext: containerSecurityContext(pod, container, inputs),
    },
  }
}

/** What a kubelet that never saw the pod needs to judge and end the container. */
function annotationsOf(pod: Pod, container: Container, attempt: number): Record<string, string> {
  const grace = pod.spec.terminationGracePeriodSeconds
  return {
    [CONTAINER_HASH]: containerHash(container),
    [RESTART_COUNT]: String(attempt),
    [TERMINATION_MESSAGE_PATH]: container.terminationMessagePath ?? DEFAULT_TERMINATION_MESSAGE_PATH,
    [TERMINATION_MESSAGE_POLICY]: container.terminationMessagePolicy ?? 'File',
    ...(grace !== undefined && { [POD_TERMINATION_GRACE_PERIOD]: String(grace) }),
  }
}

const SIGNALS: Readonly<Record<string, Signal | string>> = Signal

/** `SIGUSR1`; the API server has validated it. */
function signalOf(name: string): Signal {
  const signal = SIGNALS[name] ?? SIGNALS[`SIGNAL_${name}`]
  return typeof signal === 'number' ? signal : 0
}
