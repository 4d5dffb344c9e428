/** What every verb has to work with, and the context of one write. */
import type { KindDefinition } from '#api/kind.ts'
import type { Clock } from '#base/clock.ts'
import type { RandomSource } from '#base/random.ts'
import { WriteOutcome, type AdmissionChain } from '../admission/admission.ts'
import type { ClusterReader } from '../admission/cluster-reader.ts'
import type { ObjectDeleter } from '../registry/object-deleter.ts'
import type { ObjectWriter } from '../registry/object-writer.ts'
import type { Resource, Resources } from '../registry/resource.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { WriteContext } from '../registry/write-context.ts'
import type { ApiRequest } from '../request.ts'
import type { ResourceDependencies } from '../resource-backend.ts'
import type { BodyDecoder, OtherKindCheck } from './body.ts'
import type { WriteParameters } from './parameters.ts'

export type EndpointContext = {
  readonly clock: Clock
  readonly random: RandomSource
  readonly resources: Resources
  readonly writer: ObjectWriter
  readonly deleter: ObjectDeleter
  readonly admission: AdmissionChain
  readonly cluster: ClusterReader
  readonly decodeBody: BodyDecoder
  readonly checkOtherKind: OtherKindCheck
  readonly dependencies: ResourceDependencies
}

export function writeContext(
  context: EndpointContext,
  request: ApiRequest,
  parameters: Pick<WriteParameters, 'dryRun' | 'fieldManager'>,
  place: { readonly name?: string; readonly subresource?: string } = {},
): WriteContext {
  const { info, user } = request
  const subresource = place.subresource ?? info.subresource
  return {
    user,
    namespace: info.namespace,
    name: place.name ?? info.name,
    subresource,
    dryRun: parameters.dryRun,
    fieldManager: parameters.fieldManager,
    annotate: (key, value) => request.audit?.annotate(key, value),
    strategy: {
      clock: context.clock,
      random: context.random,
      features: context.dependencies.features,
      subresource,
      warn: (text) => void request.warnings.add(text),
      user,
    },
  }
}

/** Shows admission what a client creates under an object (a binding, an eviction, a token) and nobody stores. */
export async function admitCreation(
  context: EndpointContext,
  { kind }: Resource,
  object: KubernetesObject,
  place: WriteContext,
): Promise<void> {
  const attributes = {
    operation: 'CREATE' as const,
    kind,
    object,
    oldObject: null,
    ...place,
    warn: (text: string) => place.strategy.warn(text),
    outcome: new WriteOutcome(),
  }
  await context.admission.mutate(attributes)
  await context.admission.validate(attributes)
}

/** The kind of a status subresource is the resource's own; others name theirs. */
export function subresourceKind(
  kind: KindDefinition,
  name: string,
): { group: string; version: string; kind: string } | undefined {
  if (name === 'status' && kind.hasStatus) return kind
  return kind.subresources.find((subresource) => subresource.name === name)?.kind
}
