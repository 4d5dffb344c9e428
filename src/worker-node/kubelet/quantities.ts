/** Quantities of resources as numbers, which is how cgroups and the node's capacity need them. */

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

const QUANTITY = /^([+-]?[0-9.]+)(?:([eE][+-]?\d+)|([a-zA-Z]*))$/

/** The API server has validated the text; anything else is a broken object and throws. */
export function quantityNumber(text: string): number {
  const match = QUANTITY.exec(text)
  const scale = match === null ? undefined : match[2] === undefined ? SUFFIXES[match[3]!] : Number(`1${match[2]}`)
  if (match === null || scale === undefined) throw new Error(`not a quantity: "${text}"`)
  return Number(match[1]) * scale
}

/** Rounded up, as upstream's Value() does. */
export const quantityValue = (text: string): number => Math.ceil(cleanFloat(quantityNumber(text)))

export const quantityMilliValue = (text: string): number => Math.ceil(cleanFloat(quantityNumber(text) * 1000))

/** 0.1 × 3 is not 0.3 in floating point: a rounding up must not add a unit for that. */
const cleanFloat = (value: number): number => Number(value.toPrecision(15))

/** Bytes with the largest binary suffix that keeps them exact, as Kubernetes prints them. */
export function formatBytes(bytes: number): string {
  const suffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']
  let power = 0
  while (power < suffixes.length - 1 && bytes > 0 && bytes % 1024 ** (power + 1) === 0) power++
  return `${bytes / 1024 ** power}${suffixes[power]}`
}

/** Bytes as Kubernetes prints them when a multiple of 1 KiB is at hand. */
export function formatKibibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`
}
