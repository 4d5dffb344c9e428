/** Pods, containers and runtime states for tests. */
import type { Container, Pod, PodSpec } from '#api/core/v1.gen.ts'
import { CONTAINER_HASH } from '../runtime/labels.ts'
import type { ContainerDetail, Sandbox } from '../runtime/runtime-service.ts'
import { containerHash } from '../pods/pod-facts.ts'
import type { PodState } from '../pods/pod-state.ts'

export function aContainer(name = 'main', more: Partial<Container> = {}): Container {
  return { name, image: 'busybox:1', ...more }
}

export function aPod(spec: Partial<PodSpec> = {}, name = 'web'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-of-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
    },
    spec: { containers: [aContainer()], restartPolicy: 'Always', nodeName: 'n1', ...spec },
    status: { phase: 'Pending' },
  }
}

export function aSandbox(more: Partial<Sandbox> = {}): Sandbox {
  return {
    id: 'sandbox',
    podUid: 'uid-of-web',
    podName: 'web',
    podNamespace: 'default',
    attempt: 0,
    ready: true,
    createdAtMs: 1000,
    labels: {},
    ips: ['10.244.0.2'],
    hostNetwork: false,
    ...more,
  }
}

/** As short as a table row needs it: `running`, or the exit code. */
export function aStatus(
  name: string,
  is: 'running' | 'created' | 'unknown' | number,
  more: Partial<ContainerDetail> = {},
): ContainerDetail {
  return {
    id: `${name}-${more.attempt ?? 0}`,
    sandboxId: 'sandbox',
    name,
    attempt: 0,
    state: typeof is === 'number' ? 'exited' : is,
    createdAtMs: 1000,
    labels: {},
    annotations: { [CONTAINER_HASH]: containerHash(aContainer(name)) },
    image: 'busybox:1',
    imageRef: 'sha256:1',
    imageId: 'sha256:1',
    startedAtMs: 2000,
    finishedAtMs: typeof is === 'number' ? 5000 : 0,
    exitCode: typeof is === 'number' ? is : 0,
    reason: '',
    message: '',
    logPath: '',
    ...more,
  }
}

export function aState(containers: readonly ContainerDetail[], sandboxes: readonly Sandbox[] = [aSandbox()]): PodState {
  return { sandboxes, containers }
}
