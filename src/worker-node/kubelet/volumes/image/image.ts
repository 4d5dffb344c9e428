/** image: the files of an OCI image, which the runtime itself mounts; the kubelet only sees that the image is there. */
import type { VolumePlugin } from '../volume-plugin.ts'

export const imagePlugin: VolumePlugin = {
  name: 'kubernetes.io/image',
  isLive: false,
  supports: (volume) => volume.image !== undefined,
  setUp({ volume }) {
    const reference = volume.image?.reference ?? ''
    if (reference === '') return Promise.reject(new Error('image volume names no reference'))
    return Promise.resolve({ hostPath: '', readOnly: true, image: { reference } })
  },
}
