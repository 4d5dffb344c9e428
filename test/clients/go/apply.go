package main

import (
	"context"
	"strings"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"
	appliedv1 "k8s.io/client-go/applyconfigurations/meta/v1"
)

// checkApply: server-side apply with typed configurations: ownership, conflicts, force, extraction, subresources.
func checkApply(ctx context.Context, s *scene) error {
	deployments := s.client.AppsV1().Deployments(s.namespace)
	wanted := appsv1.Deployment("web", s.namespace).WithSpec(appsv1.DeploymentSpec().
		WithReplicas(2).
		WithSelector(appliedv1.LabelSelector().WithMatchLabels(map[string]string{"app": "web"})).
		WithTemplate(corev1.PodTemplateSpec().
			WithLabels(map[string]string{"app": "web"}).
			WithSpec(corev1.PodSpec().WithContainers(corev1.Container().WithName("c").WithImage("example.test/c:1")))))
	created, err := deployments.Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	if err := expect(*created.Spec.Replicas == 2 && created.Generation == 1, "%+v", created); err != nil {
		return err
	}
	again, err := deployments.Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	if err := expect(again.ResourceVersion == created.ResourceVersion, "applying the same changes something"); err != nil {
		return err
	}
	more := appsv1.Deployment("web", s.namespace).WithSpec(appsv1.DeploymentSpec().WithReplicas(5))
	_, err = deployments.Apply(ctx, more, metav1.ApplyOptions{FieldManager: "two"})
	isToldWhose := apierrors.IsConflict(err) && strings.Contains(err.Error(), `conflict with "one": .spec.replicas`)
	if err := expect(isToldWhose, "conflict: %v", err); err != nil {
		return err
	}
	forced, err := deployments.Apply(ctx, more, metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil {
		return err
	}
	if err := expect(*forced.Spec.Replicas == 5 && forced.Generation == 2, "forced: %+v", forced.Spec); err != nil {
		return err
	}
	owned, err := appsv1.ExtractDeployment(forced, "two")
	if err != nil {
		return err
	}
	if err := expect(*owned.Spec.Replicas == 5 && owned.Spec.Template == nil, "extracted: %+v", owned.Spec); err != nil {
		return err
	}
	status := appsv1.Deployment("web", s.namespace).WithStatus(appsv1.DeploymentStatus().WithObservedGeneration(2))
	observed, err := deployments.ApplyStatus(ctx, status, metav1.ApplyOptions{FieldManager: "status"})
	if err != nil {
		return err
	}
	if err := expect(observed.Status.ObservedGeneration == 2 && observed.Generation == 2, "status: %+v", observed.Status); err != nil {
		return err
	}
	scale := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: s.namespace}, Spec: autoscalingv1.ScaleSpec{Replicas: 1}}
	scaled, err := deployments.UpdateScale(ctx, "web", scale, metav1.UpdateOptions{FieldManager: "scaler"})
	if err != nil {
		return err
	}
	return expect(scaled.Spec.Replicas == 1 && scaled.Status.Selector == "app=web", "scale: %+v", scaled)
}
