/** How CertificateSigningRequests are completed: who asks, who has answered, and when. */
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '#api/certificates/v1.gen.ts'
import type { RequestUser, Strategy, StrategyContext } from '#api/kind.ts'
import { keepSpec, keepStatus } from '#api/strategies.ts'
import { validateRequest, validateRequestUpdate } from './validation.ts'

export const certificateSigningRequestStrategy: Strategy<CertificateSigningRequest> = {
  prepareForCreate(request, { user }) {
    recordRequester(request, user)
    // A request starts without an answer, and without approvals that its author would like to have.
    delete request.status
  },
  prepareForUpdate(request, old, context) {
    keepSpec(request, old)
    if (context.subresource === 'approval') {
      const { conditions = [] } = request.status ?? {}
      request.status = { ...old.status, conditions: withTimes(conditions, old, context) }
    } else if (context.subresource === 'status') {
      const conditions = withOldAnswers(request.status?.conditions ?? [], old)
      request.status = { ...request.status, conditions: withTimes(conditions, old, context) }
      if (conditions.length === 0) delete request.status.conditions
    } else keepStatus(request, old)
  },
  validate: (request) => validateRequest(request),
  validateUpdate: (request, old, { subresource }) => validateRequestUpdate(request, old, subresource),
}

function recordRequester({ spec }: CertificateSigningRequest, user: RequestUser | undefined): void {
  delete spec.username
  delete spec.uid
  delete spec.groups
  delete spec.extra
  if (user === undefined) return
  spec.username = user.name
  if (user.uid !== '') spec.uid = user.uid
  spec.groups = [...user.groups]
  const extra = Object.entries(user.extra)
  if (extra.length > 0) spec.extra = Object.fromEntries(extra.map(([name, values]) => [name, [...values]]))
}

type Conditions = readonly CertificateSigningRequestCondition[]

/** A status write that names the same answers may say nothing new about them. */
function withOldAnswers(conditions: Conditions, old: CertificateSigningRequest): Conditions {
  const kept = [...conditions]
  for (const type of ['Approved', 'Denied']) {
    const before = (old.status?.conditions ?? []).filter((condition) => condition.type === type)
    const positions = kept.flatMap((condition, i) => (condition.type === type ? [i] : []))
    if (before.length === positions.length) for (const [i, position] of positions.entries()) kept[position] = before[i]!
  }
  return kept
}

function withTimes(
  conditions: Conditions,
  old: CertificateSigningRequest,
  { clock }: StrategyContext,
): CertificateSigningRequestCondition[] {
  const now = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
  return conditions.map((condition) => ({
    ...condition,
    lastUpdateTime: condition.lastUpdateTime ?? now,
    lastTransitionTime: condition.lastTransitionTime ?? transitionTime(condition, old) ?? now,
  }))
}

function transitionTime(
  { type, status }: CertificateSigningRequestCondition,
  old: CertificateSigningRequest,
): string | undefined {
  const isSame = (before: CertificateSigningRequestCondition): boolean =>
    before.type === type && before.status === status && before.lastTransitionTime !== undefined
  return old.status?.conditions?.find(isSame)?.lastTransitionTime
}
