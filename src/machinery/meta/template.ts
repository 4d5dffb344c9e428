/** Metadata as a client or a template writes it, before the server has filled in what it owns. */
import type { ObjectMeta } from './v1.gen.ts'

/** Metadata of a pod template, a claim template or an object that is about to be created. */
export type TemplateMeta = Partial<ObjectMeta>

/** An object that the server has not stored yet: no uid, no resourceVersion, perhaps only `generateName`. */
export type Draft<T extends { metadata: ObjectMeta }> = Omit<T, 'metadata'> & { metadata: TemplateMeta }
