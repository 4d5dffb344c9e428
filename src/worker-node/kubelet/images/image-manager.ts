/** Makes sure that a container's image is on the node: pull policy, back-off after failures, few pulls at a time. */
import type { Clock } from '#base/clock.ts'
import type { Container, Pod, Secret } from '#api/core/v1.gen.ts'
import type { Image, RuntimeService, SandboxConfig } from '../runtime/runtime-service.ts'
import { isGrpcCode, GRPC_UNAVAILABLE } from '../runtime/grpc-client.ts'
import { Backoff } from '../pods/restart-backoff.ts'
import { Semaphore } from '../semaphore.ts'
import { credentialsFor } from './pull-credentials.ts'
import { normalizeImage } from './image-name.ts'
import { PullSharing } from './pull-sharing.ts'

/** `reason` is the container's waiting reason, `message` its message. */
export class ImageError extends Error {
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName' | 'ImageInspectError'
  /** When a next try makes sense; 0 for at once. */
  readonly retryAtMs: number
  constructor(reason: ImageError['reason'], message: string, retryAtMs = 0) {
    super(message)
    this.reason = reason
    this.retryAtMs = retryAtMs
  }
}

export type ImageRequest = {
  readonly pod: Pod
  readonly container: Pick<Container, 'name' | 'image' | 'imagePullPolicy'>
  readonly sandboxConfig: SandboxConfig
  readonly secrets: readonly Secret[]
  readonly signal: AbortSignal
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
}

export type ImageManagerOptions = {
  readonly runtime: RuntimeService
  readonly clock: Clock
  readonly pullsMax: number
}

export class ImageManager {
  readonly #options: ImageManagerOptions
  readonly #backoff = new Backoff()
  /** When and why the last pull for a pod's image failed. */
  readonly #failures = new Map<string, number>()
  readonly #pulls: Semaphore
  readonly #sharing = new PullSharing()
  /** When each image was last wanted, for garbage collection. */
  readonly lastUsedMs = new Map<string, number>()

  constructor(options: ImageManagerOptions) {
    this.#options = options
    this.#pulls = new Semaphore(options.pullsMax)
  }

  /** The image to create the container from. Throws ImageError, which becomes the container's waiting reason. */
  async ensure(request: ImageRequest): Promise<{ readonly image: Image; readonly imageRef: string }> {
    const { container, event } = request
    const named = container.image ?? ''
    const reference = normalizeImage(named)
    if (reference === null) {
      const message = `Failed to apply default image tag "${named}": couldn't parse image name "${named}": invalid reference format`
      event('Warning', 'InspectFailed', message)
      throw new ImageError('InvalidImageName', message)
    }
    const present = await this.#inspect(reference, request)
    const policy = container.imagePullPolicy ?? defaultPolicy(reference)
    if (present && policy !== 'Always') {
      event('Normal', 'Pulled', `Container image "${named}" already present on machine and can be accessed by the pod`)
      return this.#use(present, reference)
    }
    if (policy === 'Never') {
      const message = `Container image "${named}" is not present with pull policy of Never`
      event('Warning', 'ErrImageNeverPull', message)
      throw new ImageError('ErrImageNeverPull', message)
    }
    await this.#pull(reference, request)
    const pulled = await this.#inspect(reference, request)
    if (!pulled) throw new ImageError('ErrImagePull', `image "${named}" is gone right after its pull`)
    return this.#use(pulled, reference)
  }

  async #inspect(reference: string, { event }: ImageRequest): Promise<Image | null> {
    try {
      return await this.#options.runtime.imageStatus(reference)
    } catch (error) {
      const message = `Failed to inspect image "${reference}": ${(error as Error).message}`
      event('Warning', 'InspectFailed', message)
      throw new ImageError('ImageInspectError', message)
    }
  }

  #use(image: Image, reference: string): { readonly image: Image; readonly imageRef: string } {
    this.lastUsedMs.set(image.id, this.#options.clock.now())
    return { image, imageRef: image.id || reference }
  }

  async #pull(reference: string, request: ImageRequest): Promise<void> {
    const { clock } = this.#options
    const { pod, container, event } = request
    const key = `${pod.metadata.uid}_${reference}`
    const failedAtMs = this.#failures.get(key) ?? 0
    const retryAtMs = failedAtMs + this.#backoff.delayOf(key, failedAtMs)
    if (failedAtMs > 0 && clock.now() < retryAtMs) {
      const message = `Back-off pulling image "${container.image}"`
      event('Normal', 'BackOff', message)
      throw new ImageError('ImagePullBackOff', message, retryAtMs)
    }
    event('Normal', 'Pulling', `Pulling image "${container.image}"`)
    try {
      await this.#pullNow(reference, request)
      this.#failures.delete(key)
    } catch (error) {
      request.signal.throwIfAborted()
      const now = clock.now()
      this.#failures.set(key, now)
      this.#backoff.advance(key, now, now)
      const message = pullMessage(container.image ?? '', error)
      event('Warning', 'Failed', `Failed to pull image "${container.image}": ${(error as Error).message}`)
      throw new ImageError('ErrImagePull', message, now + this.#backoff.delayOf(key, now))
    }
  }

  async #pullNow(
    reference: string,
    { pod, container, sandboxConfig, secrets, signal, event }: ImageRequest,
  ): Promise<void> {
    const { clock, runtime } = this.#options
    const askedMs = clock.monotonic()
    const candidates = credentialsFor(reference, secrets)
    let pullMs = 0
    // Pods that want the same image with the same rights wait for one pull.
    const key = `${reference} ${candidates.length === 0 ? '' : pod.metadata.uid}`
    await this.#sharing.run(key, signal, (shared) =>
      this.#pulls.run(shared, async () => {
        const startMs = clock.monotonic()
        await firstThatWorks(candidates, (credentials) =>
          runtime.pullImage(reference, credentials, sandboxConfig, shared),
        )
        pullMs = clock.monotonic() - startMs
      }),
    )
    const image = await runtime.imageStatus(reference)
    const waitedMs = clock.monotonic() - askedMs
    event(
      'Normal',
      'Pulled',
      `Successfully pulled image "${container.image}" in ${formatMs(pullMs)} (${formatMs(waitedMs)} including waiting). Image size: ${image?.sizeBytes ?? 0} bytes.`,
    )
  }

  forgetPod(podUid: string): void {
    for (const key of this.#failures.keys()) if (key.startsWith(`${podUid}_`)) this.#failures.delete(key)
    this.#backoff.prune(this.#options.clock.now())
  }
}

/** Without credentials once; otherwise the last refusal is what the user sees. */
async function firstThatWorks<C>(
  candidates: readonly C[],
  pull: (credentials: C | undefined) => Promise<unknown>,
): Promise<void> {
  if (candidates.length === 0) {
    await pull(undefined)
    return
  }
  let last: unknown
  for (const credentials of candidates) {
    try {
      await pull(credentials)
      return
    } catch (error) {
      last = error
    }
  }
  throw last
}

function pullMessage(image: string, error: unknown): string {
  if (isGrpcCode(error, GRPC_UNAVAILABLE)) return `image pull failed for ${image} because the registry is unavailable`
  return (error as Error).message
}

/** `latest` may move, everything else may not. */
function defaultPolicy(reference: string): string {
  return reference.endsWith(':latest') ? 'Always' : 'IfNotPresent'
}

/** Go's print of a short duration. */
function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : `${Math.round(ms) / 1000}s`
}
