/** The two plugins that let everything or nothing through: both are of the first days of admission. */
import { refuse, type AdmissionAttributes, type AdmissionPlugin } from './admission.ts'

export const alwaysAdmit: AdmissionPlugin = { name: 'AlwaysAdmit' }

const deny = (attributes: AdmissionAttributes): never => {
  throw refuse(attributes, 'admission control is denying all modifications')
}

export const alwaysDeny: AdmissionPlugin = { name: 'AlwaysDeny', mutate: deny, validate: deny }
