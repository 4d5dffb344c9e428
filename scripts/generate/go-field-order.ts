/** Go types whose fields do not stand in the order of their protobuf numbers: the order in which Go writes them as JSON. */

/** Full type name -> JSON names of its fields; `~X` is an embedded X. */
export const GO_FIELD_ORDER: Readonly<Record<string, string>> = {
  'io.k8s.api.admissionregistration.v1.MutatingWebhook':
    'name clientConfig rules failurePolicy matchPolicy namespaceSelector objectSelector sideEffects timeoutSeconds admissionReviewVersions reinvocationPolicy matchConditions',
  'io.k8s.api.admissionregistration.v1.ValidatingWebhook':
    'name clientConfig rules failurePolicy matchPolicy namespaceSelector objectSelector sideEffects timeoutSeconds admissionReviewVersions matchConditions',
  'io.k8s.api.admissionregistration.v1.WebhookClientConfig': 'url service caBundle',
  'io.k8s.api.apps.v1.DeploymentCondition': 'type status lastUpdateTime lastTransitionTime reason message',
  'io.k8s.api.apps.v1.DeploymentStatus':
    'observedGeneration replicas updatedReplicas readyReplicas availableReplicas unavailableReplicas terminatingReplicas conditions collisionCount',
  'io.k8s.api.apps.v1.ReplicaSetSpec': 'replicas minReadySeconds selector template',
  'io.k8s.api.apps.v1.ReplicaSetStatus':
    'replicas fullyLabeledReplicas readyReplicas availableReplicas terminatingReplicas observedGeneration conditions',
  'io.k8s.api.authentication.v1.TokenRequestSpec': 'audiences expirationSeconds boundObjectRef attestations',
  'io.k8s.api.authentication.v1.TokenReviewStatus': 'authenticated user audiences error',
  'io.k8s.api.authorization.v1.SubjectAccessReviewStatus': 'allowed denied reason evaluationError',
  'io.k8s.api.autoscaling.v2.HPAScalingRules': 'stabilizationWindowSeconds selectPolicy policies tolerance',
  'io.k8s.api.autoscaling.v2.MetricSpec': 'type object pods resource containerResource external',
  'io.k8s.api.autoscaling.v2.MetricStatus': 'type object pods resource containerResource external',
  'io.k8s.api.batch.v1.CronJobSpec':
    'schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend jobTemplate successfulJobsHistoryLimit failedJobsHistoryLimit',
  'io.k8s.api.batch.v1.JobSpec':
    'parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit backoffLimitPerIndex maxFailedIndexes selector manualSelector template ttlSecondsAfterFinished completionMode suspend podReplacementPolicy managedBy scheduling',
  'io.k8s.api.batch.v1.JobStatus':
    'conditions startTime completionTime active succeeded failed terminating completedIndexes failedIndexes uncountedTerminatedPods ready',
  'io.k8s.api.certificates.v1.CertificateSigningRequestCondition':
    'type status reason message lastUpdateTime lastTransitionTime',
  'io.k8s.api.certificates.v1.CertificateSigningRequestSpec':
    'request signerName expirationSeconds usages username uid groups extra',
  'io.k8s.api.certificates.v1beta1.PodCertificateRequestSpec':
    'signerName podName podUID serviceAccountName serviceAccountUID nodeName nodeUID maxExpirationSeconds pkixPublicKey proofOfPossession stubPKCS10Request unverifiedUserAnnotations',
  'io.k8s.api.certificates.v1.PodCertificateRequestSpec':
    'signerName podName podUID serviceAccountName serviceAccountUID nodeName nodeUID maxExpirationSeconds stubPKCS10Request unverifiedUserAnnotations',
  'io.k8s.api.core.v1.ClusterTrustBundleProjection': 'name signerName labelSelector optional path user',
  'io.k8s.api.core.v1.Container':
    'name image command args workingDir ports envFrom env resources resizePolicy restartPolicy restartPolicyRules volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty',
  'io.k8s.api.core.v1.EndpointAddress': 'ip hostname nodeName targetRef',
  'io.k8s.api.core.v1.EphemeralContainerCommon':
    'name image command args workingDir ports envFrom env resources resizePolicy restartPolicy restartPolicyRules volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty',
  'io.k8s.api.core.v1.ISCSIPersistentVolumeSource':
    'targetPortal iqn lun iscsiInterface fsType readOnly portals chapAuthDiscovery chapAuthSession secretRef initiatorName',
  'io.k8s.api.core.v1.ISCSIVolumeSource':
    'targetPortal iqn lun iscsiInterface fsType readOnly portals chapAuthDiscovery chapAuthSession secretRef initiatorName',
  'io.k8s.api.core.v1.NodeSpec':
    'podCIDR podCIDRs providerID unschedulable taints configSource externalID podPreemptionPolicy',
  'io.k8s.api.core.v1.PersistentVolumeClaimSpec':
    'accessModes selector resources volumeName storageClassName volumeMode dataSource dataSourceRef volumeAttributesClassName',
  'io.k8s.api.core.v1.PodCondition': 'type observedGeneration status lastProbeTime lastTransitionTime reason message',
  'io.k8s.api.core.v1.PodSecurityContext':
    'seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy fsGroup sysctls fsGroupChangePolicy seccompProfile appArmorProfile seLinuxChangePolicy',
  'io.k8s.api.core.v1.PodSpec':
    'volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount automountServiceAccountToken nodeName hostNetwork hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets hostname subdomain affinity schedulerName tolerations hostAliases priorityClassName priority dnsConfig readinessGates runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints setHostnameAsFQDN os hostUsers schedulingGates resourceClaims resources hostnameOverride schedulingGroup evictionResponders',
  'io.k8s.api.core.v1.PodStatus':
    'observedGeneration phase conditions message reason nominatedNodeName hostIP hostIPs podIP podIPs startTime initContainerStatuses containerStatuses qosClass ephemeralContainerStatuses resize resourceClaimStatuses extendedResourceClaimStatus allocatedResources resources nodeAllocatableResourceClaimStatuses volumeHealth',
  'io.k8s.api.core.v1.ReplicationControllerSpec': 'replicas minReadySeconds selector template',
  'io.k8s.api.core.v1.ReplicationControllerStatus':
    'replicas fullyLabeledReplicas readyReplicas availableReplicas observedGeneration conditions',
  'io.k8s.api.core.v1.SecurityContext':
    'capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation procMount seccompProfile appArmorProfile',
  'io.k8s.api.core.v1.ServicePort': 'name protocol appProtocol port targetPort nodePort',
  'io.k8s.api.core.v1.ServiceSpec':
    'ports selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses sessionAffinityConfig ipFamilies ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution',
  'io.k8s.api.core.v1.VolumeMount':
    'name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr bindMountOptions',
  'io.k8s.api.core.v1.VolumeSource':
    'hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs persistentVolumeClaim rbd flexVolume cinder cephfs flocker downwardAPI fc azureFile configMap vsphereVolume quobyte azureDisk photonPersistentDisk projected portworxVolume scaleIO storageos csi ephemeral image',
  'io.k8s.api.networking.v1.HTTPIngressPath': 'path pathType backend',
  'io.k8s.api.networking.v1.IngressBackend': 'service resource',
  'io.k8s.api.networking.v1.IngressSpec': 'ingressClassName defaultBackend tls rules',
  'io.k8s.api.resource.v1.AllocatedDeviceStatus': 'driver pool device shareID conditions data networkData',
  'io.k8s.api.resource.v1alpha3.PartitionTypeStatus': 'attribute type total allocatable',
  'io.k8s.api.resource.v1alpha3.PoolStatus':
    'driver poolName generation resourceSliceCount totalDevices allocatedDevices availableDevices unavailableDevices nodeName validationError partitionSummary shareableSummary',
  'io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestStatus': 'poolCount pools conditions',
  'io.k8s.api.resource.v1beta1.AllocatedDeviceStatus': 'driver pool device shareID conditions data networkData',
  'io.k8s.api.resource.v1beta2.AllocatedDeviceStatus': 'driver pool device shareID conditions data networkData',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion':
    'name served storage deprecated deprecationWarning schema subresources additionalPrinterColumns selectableFields',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig': 'url service caBundle',
  'io.k8s.apimachinery.pkg.apis.meta.v1.APIResource':
    'name singularName namespaced group version kind verbs shortNames categories storageVersionHash',
  'io.k8s.apimachinery.pkg.apis.meta.v1.ListOptions':
    'labelSelector fieldSelector watch allowWatchBookmarks resourceVersion resourceVersionMatch timeoutSeconds limit continue sendInitialEvents shardSelector',
  'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference': 'apiVersion kind name uid controller blockOwnerDeletion',
  'io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails': 'name group kind uid causes retryAfterSeconds',
}
