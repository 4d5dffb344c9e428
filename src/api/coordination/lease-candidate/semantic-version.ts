/** Versions as candidates of a coordinated election name theirs: MAJOR.MINOR.PATCH with what may follow. */

type SemanticVersion = { readonly numbers: readonly number[]; readonly preRelease: readonly string[] }

const NUMBER = '(?:0|[1-9]\\d*)'
const IDENTIFIER = `(?:${NUMBER}|\\d*[A-Za-z-][0-9A-Za-z-]*)`
const PATTERN = new RegExp(
  `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
)

/** Null for a text that is none. */
export function parseSemanticVersion(text: string): SemanticVersion | null {
  const match = PATTERN.exec(text)
  if (match === null) return null
  return { numbers: match.slice(1, 4).map(Number), preRelease: match[4]?.split('.') ?? [] }
}

/** Negative when the left one is older. A version is newer than its pre-releases. */
export function compareSemanticVersions(left: SemanticVersion, right: SemanticVersion): number {
  for (const [i, number] of left.numbers.entries()) if (number !== right.numbers[i]) return number - right.numbers[i]!
  const [ours, theirs] = [left.preRelease, right.preRelease]
  if (ours.length === 0 || theirs.length === 0) return theirs.length - ours.length
  for (const [i, identifier] of ours.entries()) {
    if (i >= theirs.length) return 1
    const order = compareIdentifiers(identifier, theirs[i]!)
    if (order !== 0) return order
  }
  return ours.length - theirs.length
}

/** Numbers come before words. */
function compareIdentifiers(left: string, right: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)]
  if (isNumber && isOtherNumber) return Number(left) - Number(right)
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return left < right ? -1 : Number(left > right)
}
