/** All controllers, in the order in which they start. */
import type { Controller, ControllerContext, ControllerDefinition } from './controller.ts'
import { DeploymentController } from './deployment/controller.ts'
import { NamespaceController } from './namespace/controller.ts'
import { NodeIpamController } from './node-ipam/controller.ts'
import { ReplicaSetController } from './replicaset/controller.ts'
import { RootCaCertificatePublisherController } from './root-ca-certificate-publisher/controller.ts'
import { ServiceAccountController } from './serviceaccount/controller.ts'
import { GarbageCollectorController } from './garbage-collector/controller.ts'
import { PodGarbageCollectorController } from './pod-garbage-collector/controller.ts'
import { EndpointSliceController } from './endpointslice/controller.ts'
import { EndpointsController } from './endpoints/controller.ts'
import { NodeLifecycleController } from './node-lifecycle/controller.ts'
import { TaintEvictionController } from './taint-eviction/controller.ts'
import { ReplicationControllerController } from './replicationcontroller/controller.ts'
import { ClusterRoleAggregationController } from './clusterrole-aggregation/controller.ts'
import { ServiceAccountTokenController } from './serviceaccount-token/controller.ts'
import { DaemonSetController } from './daemonset/controller.ts'
import { CronJobController } from './cronjob/controller.ts'
import { JobController } from './job/controller.ts'
import { ServiceCidrsController } from './service-cidrs/controller.ts'
import { StatefulSetController } from './statefulset/controller.ts'
import { DisruptionController } from './disruption/controller.ts'
import { ResourceQuotaController } from './resourcequota/controller.ts'
import { CertificateApprovingController } from './certificatesigningrequest/approving-controller.ts'
import { CertificateCleanerController } from './certificatesigningrequest/cleaner-controller.ts'
import { CertificateSigningController } from './certificatesigningrequest/signing-controller.ts'
import { EphemeralVolumeController } from './ephemeral-volume/controller.ts'
import { PersistentVolumeBinderController } from './persistentvolume-binder/controller.ts'
import { PersistentVolumeProtectionController } from './persistentvolume-protection/controller.ts'
import { PersistentVolumeClaimProtectionController } from './persistentvolumeclaim-protection/controller.ts'
import { VolumeAttributesClassProtectionController } from './volumeattributesclass-protection/controller.ts'
import { TtlAfterFinishedController } from './ttl-after-finished/controller.ts'

/** Most controllers' events name the controller itself; the others keep a name that is older than the list of names. */
const define = (
  name: string,
  controller: new (context: ControllerContext) => Controller,
  eventSource = name,
): ControllerDefinition => ({
  name,
  eventSource,
  create: (context) => new controller(context),
})

export const CONTROLLERS: readonly ControllerDefinition[] = [
  define('serviceaccount-controller', ServiceAccountController),
  define('root-ca-certificate-publisher-controller', RootCaCertificatePublisherController),
  define('resourcequota-controller', ResourceQuotaController),
  define('namespace-controller', NamespaceController),
  define('node-ipam-controller', NodeIpamController, 'cidrAllocator'),
  define('replicaset-controller', ReplicaSetController),
  define('deployment-controller', DeploymentController),
  define('garbage-collector-controller', GarbageCollectorController),
  define('pod-garbage-collector-controller', PodGarbageCollectorController),
  define('endpointslice-controller', EndpointSliceController, 'endpoint-slice-controller'),
  define('endpoints-controller', EndpointsController, 'endpoint-controller'),
  define('node-lifecycle-controller', NodeLifecycleController, 'node-controller'),
  define('taint-eviction-controller', TaintEvictionController),
  define('replicationcontroller-controller', ReplicationControllerController, 'replication-controller'),
  define('clusterrole-aggregation-controller', ClusterRoleAggregationController),
  define('serviceaccount-token-controller', ServiceAccountTokenController),
  define('daemonset-controller', DaemonSetController),
  define('job-controller', JobController),
  define('cronjob-controller', CronJobController),
  define('statefulset-controller', StatefulSetController),
  define('disruption-controller', DisruptionController, 'controllermanager'),
  define('certificatesigningrequest-signing-controller', CertificateSigningController),
  define('certificatesigningrequest-approving-controller', CertificateApprovingController),
  define('certificatesigningrequest-cleaner-controller', CertificateCleanerController),
  define('persistentvolume-binder-controller', PersistentVolumeBinderController, 'persistentvolume-controller'),
  define('persistentvolumeclaim-protection-controller', PersistentVolumeClaimProtectionController),
  define('persistentvolume-protection-controller', PersistentVolumeProtectionController),
  define('volumeattributesclass-protection-controller', VolumeAttributesClassProtectionController),
  define('ephemeral-volume-controller', EphemeralVolumeController, 'ephemeral_volume'),
  define('service-cidr-controller', ServiceCidrsController),
  define('ttl-after-finished-controller', TtlAfterFinishedController),
]
