/** Where the amounts of a container, pod or claim leave the bounds of a LimitRange, in upstream's words. Pure. */
import type { LimitRangeItem } from '#api/core/v1.gen.ts'
import { compareQuantities, formatQuantity, isZeroQuantity, quantityToNumber } from '#machinery/quantity.ts'

export type Amounts = Record<string, string>
export type Usage = { readonly requests: Amounts; readonly limits: Amounts }

/** `onlyRequests`: claims have no limits to look at. */
export function limitViolations(
  { type, min, max, maxLimitRequestRatio }: LimitRangeItem,
  usage: Usage,
  options: { readonly onlyRequests?: boolean } = {},
): string[] {
  const texts: (string | null)[] = []
  for (const name of namesOf(min))
    texts.push(belowMin(`${name} usage per ${type}`, min![name]!, amountsOf(usage, name)))
  for (const name of namesOf(max)) {
    const amounts = amountsOf(usage, name)
    const check = options.onlyRequests === true ? requestAboveMax : aboveMax
    texts.push(check(`${name} usage per ${type}`, max![name]!, amounts))
  }
  if (options.onlyRequests !== true)
    for (const name of namesOf(maxLimitRequestRatio))
      texts.push(
        aboveRatio(
          `${name} max limit to request ratio per ${type}`,
          maxLimitRequestRatio![name]!,
          amountsOf(usage, name),
        ),
      )
  return texts.filter((text) => text !== null)
}

type Pair = { readonly request: string | undefined; readonly limit: string | undefined }

const namesOf = (amounts: Readonly<Amounts> | undefined): string[] => Object.keys(amounts ?? {}).toSorted()

const amountsOf = ({ requests, limits }: Usage, name: string): Pair => ({
  request: requests[name],
  limit: limits[name],
})

function belowMin(what: string, bound: string, { request, limit }: Pair): string | null {
  const head = `minimum ${what} is ${formatQuantity(bound)}`
  if (request === undefined) return `${head}.  No request is specified`
  if (compareQuantities(request, bound) < 0) return `${head}, but request is ${formatQuantity(request)}`
  if (limit !== undefined && compareQuantities(limit, bound) < 0)
    return `${head}, but limit is ${formatQuantity(limit)}`
  return null
}

function requestAboveMax(what: string, bound: string, { request }: Pair): string | null {
  const head = `maximum ${what} is ${formatQuantity(bound)}`
  if (request === undefined) return `${head}.  No request is specified`
  return compareQuantities(request, bound) > 0 ? `${head}, but request is ${formatQuantity(request)}` : null
}

function aboveMax(what: string, bound: string, { request, limit }: Pair): string | null {
  const head = `maximum ${what} is ${formatQuantity(bound)}`
  if (limit === undefined) return `${head}.  No limit is specified`
  if (compareQuantities(limit, bound) > 0) return `${head}, but limit is ${formatQuantity(limit)}`
  if (request !== undefined && compareQuantities(request, bound) > 0)
    return `${head}, but request is ${formatQuantity(request)}`
  return null
}

function aboveRatio(what: string, bound: string, { request, limit }: Pair): string | null {
  const head = `${what} is ${formatQuantity(bound)}`
  if (request === undefined || isZeroQuantity(request)) return `${head}, but no request is specified or request is 0`
  if (limit === undefined || isZeroQuantity(limit)) return `${head}, but no limit is specified or limit is 0`
  const ratio = quantityToNumber(limit) / quantityToNumber(request)
  return ratio > quantityToNumber(bound) ? `${head}, but provided ratio is ${ratio.toFixed(6)}` : null
}
