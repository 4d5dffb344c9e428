/** The container runtime as the kubelet sees it when it hosts pods itself: their calls stay in the process, all others go on. */
import type { RuntimeService } from '../runtime/runtime-service.ts'
import type { HostedContainers } from './hosted-containers.ts'

export function withHostedPods(inner: RuntimeService, hosted: HostedContainers): RuntimeService {
  const of = (id: string): RuntimeService | HostedContainers => (hosted.has(id) ? hosted : inner)
  const ofPod = (podUid: string): RuntimeService | HostedContainers => (hosted.hosts(podUid) ? hosted : inner)
  return {
    version: () => inner.version(),
    status: () => inner.status(),
    updatePodCidr: (podCidr) => inner.updatePodCidr(podCidr),

    runPodSandbox: (config, handler, signal) =>
      ofPod(config.metadata?.uid ?? '').runPodSandbox(config, handler, signal),
    stopPodSandbox: (id) => of(id).stopPodSandbox(id),
    removePodSandbox: (id) => of(id).removePodSandbox(id),
    podSandboxStatus: (id) => of(id).podSandboxStatus(id),
    listPodSandboxes: async (podUid) =>
      podUid === undefined
        ? [...(await inner.listPodSandboxes()), ...(await hosted.listPodSandboxes())]
        : await ofPod(podUid).listPodSandboxes(podUid),

    createContainer: (sandboxId, config, sandboxConfig) =>
      of(sandboxId).createContainer(sandboxId, config, sandboxConfig),
    startContainer: (id) => of(id).startContainer(id),
    stopContainer: (id, timeoutSeconds, signal) => of(id).stopContainer(id, timeoutSeconds, signal),
    removeContainer: (id) => of(id).removeContainer(id),
    listContainers: async (podUid) =>
      podUid === undefined
        ? [...(await inner.listContainers()), ...(await hosted.listContainers())]
        : await ofPod(podUid).listContainers(podUid),
    containerStatus: (id) => of(id).containerStatus(id),
    updateContainerResources: (id, resources) => of(id).updateContainerResources(id, resources),
    writableLayers: () => inner.writableLayers(),
    reopenContainerLog: (id) => of(id).reopenContainerLog(id),

    execSync: (id, command, timeoutSeconds, signal) => of(id).execSync(id, command, timeoutSeconds, signal),
    exec: (id, command, options) => of(id).exec(id, command, options),
    attach: (id, options) => of(id).attach(id, options),
    portForward: (sandboxId) => of(sandboxId).portForward(sandboxId),

    listImages: () => inner.listImages(),
    imageStatus: (image) => (hosted.hasImage(image) ? hosted : inner).imageStatus(image),
    pullImage: (image, credentials, sandboxConfig, signal) =>
      inner.pullImage(image, credentials, sandboxConfig, signal),
    removeImage: (image) => inner.removeImage(image),
    imageFilesystem: () => inner.imageFilesystem(),
    events: (signal) => inner.events(signal),
  }
}
