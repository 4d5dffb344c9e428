/** For whom a token is good. */

/** Those of the wanted audiences that the token is for; throws when none is. Who asks for none in particular is the API server. */
export function grantAudiences(
  own: readonly string[],
  requested: readonly string[],
  apiAudiences: readonly string[],
): string[] {
  const wanted = requested.length === 0 ? apiAudiences : requested
  const granted = own.filter((audience) => wanted.includes(audience))
  if (granted.length > 0) return granted
  throw new Error(`token audiences [${quoteAll(own)}] is invalid for the target audiences [${quoteAll(wanted)}]`)
}

const quoteAll = (texts: readonly string[]): string => texts.map((text) => JSON.stringify(text)).join(' ')
