/** The image calls of CRI. */
import type { GrpcClient } from '../grpc-client.ts'
import { ImageService } from '../proto/cri_pb.ts'
import type { Image as CriImage } from '../proto/cri_pb.ts'
import type { FilesystemUsage, Image, RegistryCredentials, SandboxConfig } from '../runtime-service.ts'
import { ignoreNotFound } from './sandboxes.ts'

const METHODS = ImageService.method

export async function listImages(client: GrpcClient): Promise<Image[]> {
  return (await client.unary(METHODS.listImages, {})).images.map(describe)
}

export async function imageStatus(client: GrpcClient, image: string): Promise<Image | null> {
  const answer = await client.unary(METHODS.imageStatus, { image: { image } }).catch(ignoreNotFound)
  return answer?.image ? describe(answer.image) : null
}

export type PullCall = {
  readonly image: string
  readonly credentials?: RegistryCredentials
  readonly sandboxConfig: SandboxConfig
  readonly signal?: AbortSignal
}

export async function pullImage(client: GrpcClient, call: PullCall): Promise<string> {
  const { image, credentials: auth, sandboxConfig } = call
  const request = { image: { image }, sandboxConfig, ...(auth && { auth }) }
  return (await client.unary(METHODS.pullImage, request, call.signal)).imageRef
}

export async function removeImage(client: GrpcClient, image: string): Promise<void> {
  await client.unary(METHODS.removeImage, { image: { image } }).catch(ignoreNotFound)
}

export async function imageFilesystem(client: GrpcClient): Promise<FilesystemUsage | null> {
  const usage = (await client.unary(METHODS.imageFsInfo, {})).imageFilesystems[0]
  if (!usage) return null
  return {
    mountpoint: usage.fsId?.mountpoint ?? '',
    usedBytes: Number(usage.usedBytes?.value ?? 0n),
    inodesUsed: Number(usage.inodesUsed?.value ?? 0n),
  }
}

function describe(image: CriImage): Image {
  return {
    id: image.id,
    tags: image.repoTags,
    digests: image.repoDigests,
    sizeBytes: Number(image.size),
    ...(image.uid && { uid: Number(image.uid.value) }),
    username: image.username,
    pinned: image.pinned,
  }
}
