/** Signs approved certificate requests for the signers of Kubernetes that it has an authority for. */
import { parseRequest } from '#api/certificates/certificate-request.ts'
import type { CertificateSigningRequest, CertificateSigningRequestStatus } from '#api/certificates/v1.gen.ts'
import { CERTIFICATESIGNINGREQUESTS } from '#api/resources.gen.ts'
import type { Clock } from '#base/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { ignoreGone } from '../ignore-gone.ts'
import { formatTime } from '../object-key.ts'
import { hasCondition, isApproved, isIssued } from './answers.ts'
import type { CertificateSigning } from './certificate-signer.ts'
import { validityOf, whyRefused, type SignerName } from './policy.ts'

export class CertificateSigningController implements Controller {
  readonly name = 'certificatesigningrequest-signing-controller'
  readonly workers = 5
  readonly #client: Client
  readonly #clock: Clock
  readonly #requests: Informer<CertificateSigningRequest>
  readonly #signing: CertificateSigning | undefined

  constructor({ client, clock, informers, options }: ControllerContext) {
    this.#client = client
    this.#clock = clock
    this.#requests = informers.informer(CERTIFICATESIGNINGREQUESTS)
    this.#signing = options.certificateSigning
  }

  watch(enqueue: Enqueue): void {
    const onRequest = ({ metadata, spec }: CertificateSigningRequest): void => {
      if (this.#signing?.signers[spec.signerName as SignerName] !== undefined) enqueue(metadata.name)
    }
    this.#requests.addHandler({ added: onRequest, updated: onRequest })
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const request = this.#requests.get(key)
    if (request === undefined || isIssued(request)) return {}
    if (!isApproved(request) || hasCondition(request, 'Failed')) return {}
    const answer = await this.#answer(request)
    if (answer === null) return {}
    const changed = { ...request, status: { ...request.status, ...answer } }
    await ignoreGone(this.#client.updateStatus<CertificateSigningRequest>(CERTIFICATESIGNINGREQUESTS, changed, signal))
    return {}
  }

  async #answer({ spec, status }: CertificateSigningRequest): Promise<CertificateSigningRequestStatus | null> {
    const signing = this.#signing
    const signerName = spec.signerName as SignerName
    const signer = signing?.signers[signerName]
    if (signing === undefined || signer === undefined) return null
    const names = parseRequest(spec.request)
    const usages = spec.usages ?? []
    const message = whyRefused(signerName, names, usages)
    if (message !== null) {
      const lastUpdateTime = formatTime(this.#clock.now())
      const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message, lastUpdateTime }
      return { conditions: [...(status?.conditions ?? []), failed] }
    }
    const wanted = { expirationSeconds: spec.expirationSeconds, durationMsMax: signing.durationMsMax }
    const validity = validityOf(wanted, signer.endMs, this.#clock.now())
    const certificate = await signer.sign({ request: spec.request, names, usages, ...validity })
    return { certificate: Buffer.from(certificate).toString('base64') }
  }
}
