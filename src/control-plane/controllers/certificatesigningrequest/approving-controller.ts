/** Approves the requests of nodes for their own client certificates, when they may make them. */
import type { SubjectAccessReview } from '#api/authorization/v1.gen.ts'
import { parseRequest } from '#api/certificates/certificate-request.ts'
import type { CertificateSigningRequest } from '#api/certificates/v1.gen.ts'
import { CERTIFICATESIGNINGREQUESTS, SUBJECTACCESSREVIEWS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { formatTime } from '../object-key.ts'
import { hasCondition, isIssued } from './answers.ts'
import { kubeletClientProblem } from './policy.ts'

const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'
/** Who is not allowed now may be later. */
const RETRY_MS = 60_000

type Recognizer = { readonly subresource: string; readonly isOwn: boolean; readonly message: string }

const RECOGNIZERS: readonly Recognizer[] = [
  {
    subresource: 'selfnodeclient',
    isOwn: true,
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
  },
  {
    subresource: 'nodeclient',
    isOwn: false,
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
  },
]

export class CertificateApprovingController implements Controller {
  readonly name = 'certificatesigningrequest-approving-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #log: Logger
  readonly #requests: Informer<CertificateSigningRequest>

  constructor({ client, clock, log, informers }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#log = log
    this.#requests = informers.informer(CERTIFICATESIGNINGREQUESTS)
  }

  watch(enqueue: Enqueue): void {
    const onRequest = ({ metadata, spec }: CertificateSigningRequest): void => {
      if (spec.signerName === SIGNER) enqueue(metadata.name)
    }
    this.#requests.addHandler({ added: onRequest, updated: onRequest })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const request = this.#requests.get(key)
    if (request === undefined || isIssued(request)) return {}
    if (hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return {}
    const names = parseRequest(request.spec.request)
    if (kubeletClientProblem(names, request.spec.usages ?? []) !== null) return {}
    const recognizers = RECOGNIZERS.filter(({ isOwn }) => !isOwn || names.subject.commonName === request.spec.username)
    for (const { subresource, message } of recognizers) {
      if (!(await this.#isAllowed(request, subresource, signal))) continue
      await this.#approve(request, message, signal)
      return {}
    }
    this.#log.debug('recognized, but subject access review was not approved', { request: key })
    return { requeueAfterMs: RETRY_MS }
  }

  async #isAllowed({ spec }: CertificateSigningRequest, subresource: string, signal: AbortSignal): Promise<boolean> {
    const review = await this.#client.review<SubjectAccessReview>(
      SUBJECTACCESSREVIEWS,
      {
        spec: {
          user: spec.username ?? '',
          groups: spec.groups ?? [],
          ...(spec.uid === undefined ? {} : { uid: spec.uid }),
          ...(spec.extra === undefined ? {} : { extra: spec.extra }),
          resourceAttributes: {
            group: 'certificates.k8s.io',
            version: '*',
            resource: 'certificatesigningrequests',
            verb: 'create',
            subresource,
          },
        },
      },
      signal,
    )
    return review.status?.allowed === true
  }

  async #approve(request: CertificateSigningRequest, message: string, signal: AbortSignal): Promise<void> {
    const now = formatTime(this.#clock.now())
    const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message, lastUpdateTime: now }
    const conditions = [...(request.status?.conditions ?? []), approved]
    const changed = { ...request, status: { ...request.status, conditions } }
    await this.#client.putSubresource<CertificateSigningRequest>(
      CERTIFICATESIGNINGREQUESTS,
      changed,
      'approval',
      signal,
    )
  }
}
