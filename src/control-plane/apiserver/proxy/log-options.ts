/** Checks the query of a request for logs, with upstream's field errors. */
import { badRequest, invalid } from '#machinery/status-error.ts'
import type { StatusCause } from '#machinery/meta/v1.gen.ts'

type Problem = {
  readonly field: string
  readonly reason: 'FieldValueInvalid' | 'FieldValueForbidden'
  readonly message: string
}

export function validateLogOptions(query: URLSearchParams, podName: string): void {
  const numbers = {
    tailLines: numberOf(query, 'tailLines'),
    limitBytes: numberOf(query, 'limitBytes'),
    sinceSeconds: numberOf(query, 'sinceSeconds'),
  }
  const problems: Problem[] = []
  if (numbers.tailLines !== null && numbers.tailLines < 0)
    problems.push(invalidNumber('tailLines', numbers.tailLines, 'must be greater than or equal to 0'))
  if (numbers.limitBytes !== null && numbers.limitBytes < 1)
    problems.push(invalidNumber('limitBytes', numbers.limitBytes, 'must be greater than 0'))
  if (numbers.sinceSeconds !== null && query.get('sinceTime'))
    problems.push({
      field: '[]',
      reason: 'FieldValueForbidden',
      message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    })
  else if (numbers.sinceSeconds !== null && numbers.sinceSeconds < 1)
    problems.push(invalidNumber('sinceSeconds', numbers.sinceSeconds, 'must be greater than 0'))
  if (problems.length === 0) return
  const causes = problems.map(({ field, reason, message }): StatusCause => ({ reason, message, field }))
  const texts = problems.map(({ field, message }) => `${field}: ${message}`)
  throw invalid(
    { group: '', kind: 'PodLogOptions' },
    podName,
    texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`,
    causes,
  )
}

const invalidNumber = (field: string, value: number, why: string): Problem => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${value}: ${why}`,
})

function numberOf(query: URLSearchParams, name: string): number | null {
  const text = query.get(name)
  if (text === null || text === '') return null
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}
