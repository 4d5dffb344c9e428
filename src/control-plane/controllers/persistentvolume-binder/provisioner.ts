/** Decides who is asked to make a volume for a claim. */
import type { PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'

/** Provisioners that were part of Kubernetes once, and the drivers that do their work now. */
const DRIVERS: Readonly<Record<string, string>> = {
  'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
  'kubernetes.io/azure-disk': 'disk.csi.azure.com',
  'kubernetes.io/azure-file': 'file.csi.azure.com',
  'kubernetes.io/cinder': 'cinder.csi.openstack.org',
  'kubernetes.io/vsphere-volume': 'csi.vsphere.vmware.com',
  'kubernetes.io/portworx-volume': 'pxd.portworx.com',
}
const [PROVISIONER, BETA_PROVISIONER] = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
]

export type ProvisionPlan = { readonly provisioner: string } | { readonly failure: string }

export function planProvision(name: string, storageClass: StorageClass | undefined): ProvisionPlan {
  if (storageClass === undefined) return { failure: `storageclass.storage.k8s.io ${JSON.stringify(name)} not found` }
  const { provisioner } = storageClass
  const driver = DRIVERS[provisioner]
  if (driver !== undefined) return { provisioner: driver }
  if (!provisioner.startsWith('kubernetes.io/')) return { provisioner }
  if (provisioner === 'kubernetes.io/host-path')
    return {
      failure: `Failed to create provisioner: provisioning in volume plugin ${JSON.stringify(provisioner)} is disabled`,
    }
  return { failure: `no volume plugin matched name: ${provisioner}` }
}

/** The claim with the sign that external provisioners wait for; the same object when it has that already. */
export function askProvisioner(claim: PersistentVolumeClaim, provisioner: string): PersistentVolumeClaim {
  if (claim.metadata.annotations?.[PROVISIONER] === provisioner) return claim
  const asked = { [PROVISIONER]: provisioner, [BETA_PROVISIONER]: provisioner }
  return { ...claim, metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...asked } } }
}

export const waitsForProvisioner = (provisioner: string): string =>
  `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`
