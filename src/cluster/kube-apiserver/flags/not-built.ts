/** Why a flag of upstream is refused that this program has no part for yet. */

export const NOT_BUILT = 'this program does not have that yet'
